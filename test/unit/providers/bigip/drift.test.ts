import { expect } from 'chai';
import { applicationOf } from '../../../../providers/bigip/names.ts';
import type { FieldChange } from '../../../../providers/provider.ts';
import { TENANT } from './support/desired.ts';
import { Rig } from './support/rig.ts';

describe('providers/bigip: what others change by hand', () => {
  let rig: Rig;
  const nodes = ['10.0.0.1', '10.0.0.2'];

  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  function folder(): string {
    return `/${TENANT}/${applicationOf(rig.desire().id)}`;
  }

  const POOL = 'pool_tcp_80_ipv4';
  const VIRTUAL = 'tcp_80_198_51_100_10';
  const NEVER = { field: '', actual: '', expected: '' };

  /** What somebody does, and the field by which it's told. */
  const edits: { name: string; edit: () => void; told: FieldChange }[] = [
    {
      name: 'a member that is disabled',
      edit: () =>
        rig.peer.unit.editMember(`${folder()}/${POOL}`, `/${TENANT}/10.0.0.1:30080`, {
          session: 'user-disabled',
        }),
      told: { field: `${POOL}.members[10.0.0.1:30080]`, actual: 'disabled', expected: 'enabled' },
    },
    {
      name: 'a member that is forced offline',
      edit: () =>
        rig.peer.unit.editMember(`${folder()}/${POOL}`, `/${TENANT}/10.0.0.2:30080`, {
          session: 'user-disabled',
          state: 'user-down',
        }),
      told: { field: `${POOL}.members[10.0.0.2:30080]`, actual: 'disabled', expected: 'enabled' },
    },
    {
      name: "a member's connection limit",
      edit: () =>
        rig.peer.unit.editMember(`${folder()}/${POOL}`, `/${TENANT}/10.0.0.1:30080`, { connectionLimit: 7 }),
      told: { field: `${POOL}.members[10.0.0.1:30080].connectionLimit`, actual: '7', expected: '0' },
    },
    {
      name: 'the method of a pool',
      edit: () =>
        rig.peer.unit.edit('ltm/pool', `${folder()}/${POOL}`, { loadBalancingMode: 'fastest-node' }),
      told: { field: `${POOL}.loadBalancingMode`, actual: 'fastest-node', expected: 'round-robin' },
    },
    {
      name: 'the monitor of a pool',
      edit: () => rig.peer.unit.edit('ltm/pool', `${folder()}/${POOL}`, { monitor: '/Common/tcp' }),
      told: { field: `${POOL}.monitor`, actual: '/Common/tcp', expected: 'health_node' },
    },
    {
      name: 'a virtual server that is disabled',
      edit: () =>
        rig.peer.unit.edit('ltm/virtual', `${folder()}/${VIRTUAL}`, { disabled: true, enabled: false }),
      told: { field: `${VIRTUAL}.state`, actual: 'disabled', expected: 'enabled' },
    },
    {
      name: 'the source of a virtual server',
      edit: () => rig.peer.unit.edit('ltm/virtual', `${folder()}/${VIRTUAL}`, { source: '192.0.2.0/24' }),
      told: { field: `${VIRTUAL}.source`, actual: '192.0.2.0/24', expected: 'any' },
    },
    {
      name: 'the SNAT of a virtual server',
      edit: () =>
        rig.peer.unit.edit('ltm/virtual', `${folder()}/${VIRTUAL}`, {
          sourceAddressTranslation: { type: 'none' },
        }),
      told: { field: `${VIRTUAL}.snat`, actual: 'none', expected: 'automap' },
    },
    {
      name: 'the limit of a virtual server',
      edit: () => rig.peer.unit.edit('ltm/virtual', `${folder()}/${VIRTUAL}`, { connectionLimit: 5 }),
      told: { field: `${VIRTUAL}.connectionLimit`, actual: '5', expected: '0' },
    },
    {
      name: 'a VLAN of a virtual server',
      edit: () =>
        rig.peer.unit.edit('ltm/virtual', `${folder()}/${VIRTUAL}`, {
          vlansEnabled: true,
          vlansDisabled: false,
          vlans: ['/Common/internal'],
        }),
      told: { field: `${VIRTUAL}.vlans`, actual: '/Common/internal', expected: '' },
    },
    {
      name: 'the time-out of a monitor',
      edit: () => rig.peer.unit.edit('ltm/monitor/http', `${folder()}/health_node`, { timeout: 99 }),
      told: { field: 'health_node.timeout', actual: '99', expected: '16' },
    },
    {
      name: 'a virtual server that is deleted',
      edit: () => rig.peer.unit.remove('ltm/virtual', `${folder()}/${VIRTUAL}`),
      told: { field: `${VIRTUAL}.pool`, actual: '(none)', expected: POOL },
    },
    {
      name: 'an address that is disabled',
      edit: () => rig.peer.unit.edit('ltm/virtual-address', `/${TENANT}/198.51.100.10`, { enabled: 'no' }),
      told: { field: 'address 198.51.100.10.enabled', actual: 'no', expected: 'yes' },
    },
    {
      name: 'an address that answers no ARP any more',
      edit: () => rig.peer.unit.edit('ltm/virtual-address', `/${TENANT}/198.51.100.10`, { arp: 'disabled' }),
      told: { field: 'address 198.51.100.10.arp', actual: 'disabled', expected: 'enabled' },
    },
    {
      name: 'a pool that is added to the application',
      edit: () =>
        void rig.peer.unit.create('ltm/pool', {
          name: 'mine',
          partition: TENANT,
          subPath: applicationOf(rig.desire().id),
        }),
      told: { field: 'mine.loadBalancingMode', actual: 'round-robin', expected: '(none)' },
    },
  ];

  for (const { edit, name, told } of edits) {
    it(`tells ${name}, and puts it back`, async () => {
      const web = rig.desire({ nodes });
      await rig.bring(web);
      edit();
      expect(await rig.compare(web), 'before the look').to.deep.equal([]);
      await rig.refresh(web);
      const [change] = await rig.bring(web);
      expect(change?.action).to.equal('Update');
      const fields = change?.fields ?? [];
      expect(fields.find(({ field }) => field === told.field) ?? NEVER).to.deep.equal(told);
      await rig.refresh(web);
      expect(await rig.compare(web)).to.deep.equal([]);
    });
  }

  const criteria: { edit: Record<string, string>; told: FieldChange }[] = [
    {
      edit: { sourceAddressList: '', sourceAddressInline: '0.0.0.0/0' },
      told: { field: `${VIRTUAL}.source`, actual: 'any', expected: 'sources_ipv4' },
    },
    {
      edit: { destinationPortList: '', destinationPortInline: '0' },
      told: { field: `${VIRTUAL}.port`, actual: '0', expected: 'port_80' },
    },
    {
      edit: { destinationAddressInline: '198.51.100.11/255.255.255.255' },
      told: { field: `${VIRTUAL}.destination`, actual: '198.51.100.11', expected: '198.51.100.10' },
    },
    {
      edit: { protocol: 'udp' },
      told: { field: `${VIRTUAL}.matchedProtocol`, actual: 'udp', expected: 'tcp' },
    },
  ];
  for (const { edit, told } of criteria) {
    it(`tells what somebody edits of what a virtual server matches: ${Object.keys(edit)[0]}`, async () => {
      const web = rig.desire({ nodes });
      web.spec.sourceRanges = ['203.0.113.0/24', '192.0.2.0/24'];
      await rig.bring(web);
      await rig.refresh(web);
      expect(await rig.compare(web), 'before the edit').to.deep.equal([]);
      rig.peer.unit.edit('ltm/traffic-matching-criteria', `${folder()}/${VIRTUAL}_VS_TMC_OBJ`, edit);
      await rig.refresh(web);
      const [change] = await rig.bring(web);
      expect(change?.fields).to.deep.equal([told]);
      await rig.refresh(web);
      expect(await rig.compare(web)).to.deep.equal([]);
    });
  }

  it('listens on the one port alone, beside several source ranges', async () => {
    const web = rig.desire({ nodes });
    web.spec.sourceRanges = ['203.0.113.0/24', '192.0.2.0/24'];
    await rig.bring(web);
    const { configuration } = rig.peer.unit;
    const [matched] = configuration.list('ltm/traffic-matching-criteria');
    const ports = configuration.get('net/port-list', String(matched?.properties.destinationPortList));
    expect(ports?.ports).to.deep.equal([{ name: '80' }]);
  });

  it('tells a list of ports that somebody edits', async () => {
    const web = rig.desire({ nodes });
    web.spec.sourceRanges = ['203.0.113.0/24', '192.0.2.0/24'];
    await rig.bring(web);
    rig.peer.unit.edit('net/port-list', `${folder()}/port_80`, { ports: [{ name: '80' }, { name: '22' }] });
    await rig.refresh(web);
    const [change] = await rig.bring(web);
    expect(change?.fields).to.deep.equal([{ field: 'port_80.ports', actual: '22, 80', expected: '80' }]);
  });

  it('tells who was let in by hand, beside several source ranges', async () => {
    const web = rig.desire({ nodes });
    web.spec.sourceRanges = ['203.0.113.0/24', '192.0.2.0/24'];
    web.spec.sessionAffinitySeconds = 300;
    await rig.bring(web);
    rig.peer.unit.edit('net/address-list', `${folder()}/sources_ipv4`, {
      addresses: [{ name: '0.0.0.0/0' }],
    });
    rig.peer.unit.edit('ltm/persistence/source-addr', `${folder()}/persistence`, { timeout: '1' });
    await rig.refresh(web);
    const [change] = await rig.bring(web);
    expect(change?.fields).to.deep.equal([
      { field: 'persistence.timeout', actual: '1', expected: '300' },
      { field: 'sources_ipv4.addresses', actual: '0.0.0.0/0', expected: '192.0.2.0/24, 203.0.113.0/24' },
    ]);
    await rig.refresh(web);
    expect(await rig.compare(web)).to.deep.equal([]);
  });

  it('tells what somebody declared in its place', async () => {
    const web = rig.desire({ nodes });
    await rig.bring(web);
    const other = rig.desire({ nodes: ['10.0.0.1'] });
    await rig.declareAtOnce([other]);
    await rig.refresh(web);
    const [change] = await rig.bring(web);
    expect(change?.fields).to.deep.include({
      field: `${POOL}.members[10.0.0.2:30080]`,
      actual: '(none)',
      expected: 'enabled',
    });
    await rig.refresh(web);
    expect(await rig.compare(web)).to.deep.equal([]);
  });

  it('reads the device anew where a pool is gone that it asks about, and makes it again', async () => {
    const web = rig.desire({ nodes });
    await rig.bring(web);
    rig.peer.unit.remove('ltm/virtual', `${folder()}/${VIRTUAL}`);
    rig.peer.unit.remove('ltm/pool', `${folder()}/${POOL}`);
    const [change] = await rig.bring(web);
    expect(change?.action).to.equal('Update');
    expect((await rig.status(web)).targets).to.deep.equal({ desired: 2, healthy: 2 });
  });

  it('declares an application again that somebody removed', async () => {
    const [web, api] = [rig.desire({ nodes }), rig.desire({ name: 'api', address: '198.51.100.11' })];
    await rig.bring(web);
    await rig.bring(api);
    await rig.declareAtOnce([api]);
    expect(await rig.refresh(web)).to.have.length(1);
    const [change] = await rig.bring(web);
    expect(change?.action).to.equal('Create');
    expect(await rig.compare(api)).to.deep.equal([]);
  });

  it('tells who has something there, of its own provider and cluster only', async () => {
    const web = rig.desire({ nodes });
    await rig.bring(web);
    const other = rig.desire({ name: 'api', address: '198.51.100.11' });
    const ofAnother = { ...other, id: { ...other.id, name: 'api.f6' } };
    const ofOthers = { ...other, id: { ...other.id, clusterId: 'another' } };
    const model = rig.provider.build(ofOthers);
    await rig.bring(ofAnother);
    expect(model.application).not.to.equal(rig.provider.build(other).application);
    expect(await rig.refresh(web)).to.deep.equal([web.id]);
    // An orphan is taken away by its mark, by a process that knows nothing else.
    rig.restartOperator();
    await rig.remove(web);
    expect(await rig.refresh(web)).to.deep.equal([]);
  });
});
