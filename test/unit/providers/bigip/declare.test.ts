import { expect } from 'chai';
import type { DesiredLoadBalancer } from '../../../../providers/provider.ts';
import { TENANT } from './support/desired.ts';
import { failureOf, Rig } from './support/rig.ts';

const DECLARE = '/mgmt/shared/appsvcs/declare';

describe('providers/bigip: declarations on a device', () => {
  let rig: Rig;

  async function start(options: Parameters<typeof Rig.start>[0] = {}): Promise<void> {
    rig = await Rig.start(options);
  }
  afterEach(() => rig.stop());

  it('declares a Service, shows its address, and finds nothing left to do', async () => {
    await start();
    const web = rig.desire({ nodes: ['10.0.0.1', '10.0.0.2'] });
    const before = rig.peer.foreignObjects([TENANT]);
    const [change, ...more] = await rig.bring(web);
    expect(change?.action).to.equal('Create');
    expect(more).to.deep.equal([]);
    const status = await rig.status(web);
    expect(status.ingress).to.deep.equal([{ ip: '198.51.100.10', ipMode: 'Proxy' }]);
    expect(status.targets).to.deep.equal({ desired: 2, healthy: 2 });
    expect(status.againAfterSeconds).to.equal(undefined);
    expect(status.providerID).to.match(new RegExp(`^/${TENANT}/fl_default_web_f5_[0-9a-f]{12}$`));
    expect(await rig.compare(web)).to.deep.equal([]);
    expect(rig.peer.foreignObjects([TENANT])).to.deep.equal(before);

    await rig.refresh(web);
    expect(await rig.compare(web)).to.deep.equal([]);
    expect(rig.peer.unit.configuration.list('ltm/virtual').map(({ path }) => path)).to.have.length(1);
  });

  it('needs no call once all is well', async () => {
    await start();
    const web = rig.desire();
    await rig.bring(web);
    await rig.status(web);
    rig.peer.calls.reset();
    await rig.compare(web);
    await rig.status(web);
    expect(rig.peer.calls.all).to.deep.equal([]);
  });

  it('is understood in all that a provider may say, and found again by another process', async () => {
    await start();
    rig.peer.unit.create('ltm/snatpool', {
      name: 'snat_k8s',
      partition: 'Common',
      members: ['/Common/192.0.2.99'],
    });
    rig.peer.unit.create('ltm/rule', {
      name: 'log',
      partition: 'Common',
      apiAnonymous: 'when CLIENT_ACCEPTED {}',
    });
    for (const virtualServers of ['FastL4', 'Standard']) {
      const web = rig.desire({
        name: virtualServers.toLowerCase(),
        address: virtualServers === 'FastL4' ? '198.51.100.1' : '198.51.100.2',
        bigip: {
          virtualServers,
          profiles:
            virtualServers === 'FastL4' ? { fastL4: '/Common/fastL4' } : { tcp: '/Common/f5-tcp-wan' },
          snat: { mode: 'Pool', pool: '/Common/snat_k8s' },
          vlans: { public: ['/Common/external', '/Common/internal'] },
          iRules: ['/Common/log'],
          limits: { connectionsPerVirtualServer: 100, connectionsPerTarget: 10 },
          balance: 'least-connections-member',
          priorityGroups: { groups: [{ nodeSelector: {}, priority: 3 }], minimumActive: 2 },
        },
      });
      web.spec.sessionAffinitySeconds = 300;
      web.spec.sourceRanges = ['203.0.113.0/24', '192.0.2.0/24'];
      web.spec.frontends?.push(
        { protocol: 'UDP', port: 53, nodePort: 30053 },
        { protocol: 'SCTP', port: 3868, nodePort: 30868 },
      );
      await rig.bring(web);
      rig.restartOperator();
      expect(await rig.compare(web), virtualServers).to.deep.equal([]);
    }
  });

  it('sends one application and nothing of the others: among 500 as much as among 5', async function () {
    this.timeout(60_000);
    const sizes: number[] = [];
    for (const others of [4, 499]) {
      if (others === 499) await rig.stop();
      await start();
      await rig.declareAtOnce(
        Array.from({ length: others }, (_, index) =>
          rig.desire({ name: `s-${index}`, address: `198.51.${index >> 8}.${index & 255}` }),
        ),
      );
      await rig.bring(rig.desire({ address: '203.0.113.1' }));
      rig.peer.calls.reset();
      await rig.bring(rig.desire({ address: '203.0.113.1', nodes: ['10.0.0.1', '10.0.0.2'] }));
      const [call, ...more] = rig.peer.calls.declarations();
      expect(more).to.deep.equal([]);
      sizes.push(call?.bytes ?? 0);
    }
    const [few = 0, many] = sizes;
    expect(few).to.be.greaterThan(500);
    expect(many).to.equal(few);
  });

  for (const perApp of [true, false]) {
    const how = perApp ? 'per application' : 'with whole tenants';

    it(`${how}: one that the device refuses is named, and the others are served`, async () => {
      await start({ perApp });
      const good = Array.from({ length: 5 }, (_, index) =>
        rig.desire({ name: `good-${index}`, address: `198.51.100.${index + 1}` }),
      );
      const bad = rig.desire({
        name: 'bad',
        address: '198.51.100.99',
        bigip: { iRules: ['/Common/no_such_rule'] },
      });
      await rig.bring(good[0] ?? bad);
      const refused = await failureOf(rig.bring(bad));
      expect(refused).to.include({ name: 'ClassedError', class: 'Rejected', reason: 'DeclarationRefused' });
      expect(String(refused)).to.include('no_such_rule');
      for (const service of good) await rig.bring(service);
      for (const service of good) expect(await rig.compare(service)).to.deep.equal([]);
      expect((await rig.status(bad)).notProgrammed?.reason).to.equal('Provisioning');
      expect(rig.peer.unit.configuration.list('ltm/virtual')).to.have.length(5);
    });

    it(`${how}: what changed for the worse stays as it was`, async () => {
      await start({ perApp });
      const [web, api] = [rig.desire(), rig.desire({ name: 'api', address: '198.51.100.11' })];
      await rig.bring(web);
      await rig.bring(api);
      await failureOf(rig.bring(rig.desire({ bigip: { iRules: ['/Common/no_such_rule'] }, port: 81 })));
      await rig.bring(rig.desire({ name: 'api', address: '198.51.100.11', port: 82 }));
      const destinations = rig.peer.unit.configuration
        .list('ltm/virtual')
        .map(({ properties }) => properties.destination);
      expect(destinations).to.have.members([`/${TENANT}/198.51.100.10:80`, `/${TENANT}/198.51.100.11:82`]);
    });

    it(`${how}: a Service that is gone takes its application with it, and nothing else`, async () => {
      await start({ perApp });
      const [web, api] = [rig.desire(), rig.desire({ name: 'api', address: '198.51.100.11' })];
      const before = rig.peer.foreignObjects([TENANT]);
      await rig.bring(web);
      await rig.bring(api);
      const removed = await rig.remove(web);
      expect(removed.map(({ action }) => action)).to.deep.equal(['Delete']);
      expect(await rig.remove(web)).to.deep.equal([]);
      expect(await rig.compare(api)).to.deep.equal([]);
      await rig.remove(api);
      expect(rig.peer.unit.configuration.list('ltm/virtual')).to.deep.equal([]);
      expect(rig.peer.foreignObjects([TENANT])).to.deep.equal(before);
      expect(await rig.refresh(web)).to.deep.equal([]);
    });
  }

  it('serves 199 Services and names the one that is refused, when all 200 come at once', async function () {
    this.timeout(60_000);
    await start();
    const services = Array.from({ length: 200 }, (_, index) =>
      rig.desire({
        name: `s-${index}`,
        address: `198.51.100.${index + 1}`,
        bigip: index === 100 ? { iRules: ['/Common/no_such_rule'] } : {},
      }),
    );
    const ends = await Promise.allSettled(services.map((service) => rig.bring(service)));
    const refused = ends.flatMap((end, index) =>
      end.status === 'rejected' ? [{ index, why: end.reason }] : [],
    );
    expect(refused.map(({ index }) => index)).to.deep.equal([100]);
    expect(String(refused[0]?.why)).to.include('no_such_rule');
    expect(rig.peer.unit.configuration.list('ltm/virtual')).to.have.length(199);
    const largest = Math.max(...rig.peer.calls.declarations().map(({ bytes }) => bytes));
    expect(largest).to.be.lessThan(2_000);
  });

  describe('with whole tenants, many at once', () => {
    const COUNT = 16;
    const many = (bigip: (index: number) => Record<string, unknown> = () => ({})) =>
      Array.from({ length: COUNT }, (_, index) =>
        rig.desire({ name: `s-${index}`, address: `198.51.100.${index + 1}`, bigip: bigip(index) }),
      );
    const served = () => rig.peer.unit.configuration.list('ltm/virtual').length;

    beforeEach(() => start({ perApp: false, times: { declaration: 20 } }));

    it('declares together what waits for the device', async () => {
      const services = many();
      await Promise.all(services.map((service) => rig.bring(service)));
      expect(served()).to.equal(COUNT);
      expect(rig.peer.calls.declarations().length).to.be.lessThan(4);
      for (const service of services) expect(await rig.compare(service)).to.deep.equal([]);
      rig.peer.calls.reset();
      await Promise.all(services.map((service) => rig.remove(service)));
      expect(served()).to.equal(0);
      expect(rig.peer.calls.declarations().length).to.be.lessThan(4);
    });

    it('finds the one that is refused, and serves the others, by few declarations', async () => {
      const services = many((index) => (index === 11 ? { iRules: ['/Common/no_such_rule'] } : {}));
      const ends = await Promise.allSettled(services.map((service) => rig.bring(service)));
      const refused = ends.flatMap((end, index) => (end.status === 'rejected' ? [{ index, end }] : []));
      expect(refused.map(({ index }) => index)).to.deep.equal([11]);
      expect(String(refused[0]?.end.reason)).to.include('no_such_rule');
      expect(served()).to.equal(COUNT - 1);
      expect(rig.peer.calls.declarations().length).to.be.lessThan(COUNT - 2);
    });

    it('fails all that were in a declaration that was lost, and brings them with the next', async () => {
      const services = many();
      rig.peer.inject({ method: 'POST', path: DECLARE, times: 1, fault: { cut: 'after' } });
      const ends = await Promise.allSettled(services.map((service) => rig.bring(service)));
      const failed = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
      expect(failed.length).to.be.greaterThan(2);
      for (const reason of failed) expect(reason).to.include({ class: 'Transient' });
      await Promise.all(services.map((service) => rig.bring(service)));
      for (const service of services) expect(await rig.compare(service)).to.deep.equal([]);
      expect(served()).to.equal(COUNT);
    });

    it('goes on with the others when the one that began is told to stop', async () => {
      const services = many();
      const stop = new AbortController();
      const changes = await Promise.all(services.map((service) => rig.compare(service)));
      const unhook = rig.peer.beforeCall(({ method, path }) => {
        if (method === 'POST' && path.startsWith(DECLARE)) {
          unhook();
          stop.abort(new Error('told to stop'));
        }
      });
      const ends = await Promise.allSettled(
        services.map(async (service, index) => {
          const signal = index === 0 ? stop.signal : rig.signal;
          for (const change of changes[index] ?? []) await rig.provider.apply(change, service, signal);
        }),
      );
      expect(ends.map(({ status }) => status)).to.deep.equal([
        'rejected',
        ...Array.from({ length: COUNT - 1 }, () => 'fulfilled'),
      ]);
      expect(served()).to.be.greaterThan(COUNT - 2);
    });
  });

  for (const perApp of [true, false]) {
    it(`tries again where another of ours still has the address, ${perApp ? 'per application' : 'with whole tenants'}`, async () => {
      await start({ perApp });
      const [web, heir] = [rig.desire(), rig.desire({ name: 'heir' })];
      await rig.bring(web);
      const error = await failureOf(rig.bring(heir));
      expect(error).to.include({ class: 'Transient', reason: 'AddressStillServed' });
      await rig.remove(web);
      await rig.bring(heir);
      expect(rig.peer.unit.configuration.list('ltm/virtual')).to.have.length(1);
    });
  }

  it('asks the device which declarations it takes', async () => {
    await start({ as3Version: '3.40.0' });
    await rig.bring(rig.desire());
    const [call] = rig.peer.calls.declarations();
    expect(call?.path).to.equal(`${DECLARE}/${TENANT}`);
    expect(call?.body).to.include({ class: 'ADC', schemaVersion: '3.40.0' });
  });

  it('writes nothing to a partition with objects of others, and says which', async () => {
    await start();
    rig.peer.unit.create('auth/partition', { name: TENANT });
    rig.peer.unit.create('ltm/pool', { name: 'handmade', partition: TENANT });
    const web = rig.desire();
    expect(await rig.bring(web)).to.deep.equal([]);
    const { againAfterSeconds, ingress, notProgrammed } = await rig.status(web);
    expect(againAfterSeconds).to.be.greaterThan(0);
    expect(ingress).to.deep.equal([]);
    expect(notProgrammed?.reason).to.equal('TenantNotOurs');
    expect(notProgrammed?.message).to.include(`/${TENANT}/handmade`);
    expect(rig.peer.calls.writes()).to.deep.equal([]);

    rig.peer.unit.remove('ltm/pool', `/${TENANT}/handmade`);
    await rig.refresh(web);
    await rig.bring(web);
    expect((await rig.status(web)).ingress).to.have.length(1);
  });

  const BY_HAND = {
    'ltm/node': { address: '10.77.0.9' },
    'ltm/virtual-address': { address: '198.51.100.77' },
    'ltm/rule': { apiAnonymous: 'when CLIENT_ACCEPTED { }' },
    'ltm/monitor/https': { send: 'GET /' },
    'ltm/profile/tcp': { idleTimeout: 300 },
    'ltm/persistence/cookie': { method: 'insert' },
    'ltm/snatpool': { members: [] },
    'ltm/data-group/internal': { type: 'ip' },
    'net/address-list': { addresses: [] },
    'security/firewall/address-list': { addresses: [] },
  };
  for (const perApp of [true, false]) {
    for (const [kind, body] of Object.entries(BY_HAND)) {
      it(`leaves a ${kind} by hand alone, ${perApp ? 'per application' : 'with whole tenants'}`, async () => {
        await start({ perApp });
        rig.peer.unit.create('auth/partition', { name: TENANT });
        const path = rig.peer.unit.create(kind, { name: 'mine', partition: TENANT, ...body });
        const web = rig.desire();
        expect(await rig.bring(web)).to.deep.equal([]);
        const { notProgrammed } = await rig.status(web);
        expect(notProgrammed?.reason).to.equal('TenantNotOurs');
        expect(notProgrammed?.message).to.include(path);
        expect(rig.peer.calls.writes()).to.deep.equal([]);
        rig.peer.unit.remove(kind, path);
        await rig.refresh(web);
        await rig.bring(web);
        expect((await rig.status(web)).ingress).to.have.length(1);

        // Made beside what is served: found by the next look, and left alone from then on.
        rig.peer.unit.create(kind, { name: 'mine', partition: TENANT, ...body });
        await rig.refresh(web);
        const writes = rig.peer.calls.writes().length;
        expect(await rig.bring(rig.desire({ nodes: ['10.0.0.3'] }))).to.deep.equal([]);
        expect((await rig.status(web)).notProgrammed?.message).to.include(path);
        expect(rig.peer.calls.writes()).to.have.length(writes);
        expect(rig.peer.unit.configuration.has(kind, path)).to.equal(true);
      });
    }
  }

  for (const perApp of [true, false]) {
    const how = perApp ? 'per application' : 'with whole tenants';
    it(`removes the last Service beside what keeps the device from removing the partition, ${how}`, async () => {
      await start({ perApp });
      const web = rig.desire();
      await rig.bring(web);
      // AS3 manages no VLANs: nothing is in its way but the removal of the partition.
      const path = rig.peer.unit.create('net/vlan', { name: 'mine', partition: TENANT });
      await rig.remove(web);
      const { configuration } = rig.peer.unit;
      expect(await rig.remove(web)).to.deep.equal([]);
      expect(configuration.list('ltm/virtual')).to.deep.equal([]);
      expect(configuration.list('ltm/node')).to.deep.equal([]);
      expect(configuration.has('net/vlan', path)).to.equal(true);
      rig.restartOperator();
      expect(await rig.refresh(web)).to.deep.equal([]);

      // The next one comes and goes beside it as well.
      await rig.bring(web);
      expect((await rig.status(web)).ingress).to.have.length(1);
      await rig.remove(web);
      expect(configuration.list('ltm/virtual')).to.deep.equal([]);
      expect(configuration.has('net/vlan', path)).to.equal(true);
    });

    it(`says what keeps a Service from going that AS3 would remove with it, ${how}`, async () => {
      await start({ perApp });
      const web = rig.desire();
      await rig.bring(web);
      const path = rig.peer.unit.create('ltm/node', {
        name: '10.77.0.9',
        partition: TENANT,
        address: '10.77.0.9',
      });
      await rig.refresh(web);
      expect(String(await failureOf(rig.remove(web)))).to.include(path);
      expect(rig.peer.unit.configuration.has('ltm/node', path)).to.equal(true);
      rig.peer.unit.remove('ltm/node', path);
      await rig.refresh(web);
      await rig.remove(web);
      expect(rig.peer.unit.configuration.list('ltm/virtual')).to.deep.equal([]);
    });
  }

  it('says what to do when another tenant has the nodes', async () => {
    await start();
    await rig.bring(rig.desire());
    const other = rig.desire({ name: 'two', address: '198.51.100.20', bigip: { tenant: 'internal' } });
    const refused = await failureOf(rig.bring(other));
    expect(refused).to.include({ class: 'Rejected', reason: 'NodeInOtherPartition' });
    expect(String(refused)).to.include('0107176c').and.to.include('bigip.shareNodes');
  });

  for (const perApp of [true, false]) {
    const how = perApp ? 'per application' : 'with whole tenants';
    it(`shares nodes between tenants, and leaves those in /Common that others made, ${how}`, async () => {
      await start({ perApp });
      rig.peer.unit.create('ltm/node', { name: '10.0.0.2', partition: 'Common', address: '10.0.0.2' });
      const before = rig.peer.foreignObjects([TENANT, 'internal']);
      const nodes = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
      const web = rig.desire({ nodes, bigip: { shareNodes: true } });
      const bigip = { tenant: 'internal', shareNodes: true };
      const two = rig.desire({ name: 'two', address: '198.51.100.20', nodes, bigip });
      await rig.bring(web);
      await rig.bring(two);
      expect((await rig.status(two)).ingress).to.have.length(1);
      const shared = () =>
        rig.peer.unit.configuration
          .list('ltm/node')
          .map(({ path }) => path)
          .sort();
      expect(shared()).to.deep.equal(nodes.map((node) => `/Common/${node}`));
      for (const each of [web, two]) {
        await rig.refresh(each);
        expect(await rig.compare(each)).to.deep.equal([]);
      }

      // Who leaves is drained on the node that it had, and stays there for the other tenant.
      const fewer = rig.desire({ nodes: nodes.slice(0, 2), bigip: { shareNodes: true } });
      await rig.bring(fewer);
      expect(await rig.compare(fewer)).to.deep.equal([]);
      rig.now += 60_000;
      await rig.bring(fewer);
      expect(shared()).to.deep.equal(nodes.map((node) => `/Common/${node}`));
      await rig.remove(two);
      expect(shared()).to.deep.equal(['/Common/10.0.0.1', '/Common/10.0.0.2']);
      await rig.remove(fewer);
      expect(rig.peer.foreignObjects([TENANT, 'internal'])).to.deep.equal(before);
    });
  }

  it('removes the last Service beside an iRule by hand, per application', async () => {
    await start();
    const web = rig.desire();
    await rig.bring(web);
    const path = rig.peer.unit.create('ltm/rule', { name: 'mine', partition: TENANT });
    await rig.refresh(web);
    await rig.remove(web);
    expect(rig.peer.unit.configuration.list('ltm/virtual')).to.deep.equal([]);
    expect(rig.peer.unit.configuration.has('ltm/rule', path)).to.equal(true);
  });

  it('leaves a folder by hand alone where it would declare the whole tenant', async () => {
    await start({ perApp: false });
    rig.peer.unit.create('auth/partition', { name: TENANT });
    rig.peer.unit.create('sys/folder', { name: 'shop', partition: TENANT });
    const path = rig.peer.unit.create('ltm/pool', { name: 'mine', partition: TENANT, subPath: 'shop' });
    const web = rig.desire();
    expect(await rig.bring(web)).to.deep.equal([]);
    expect((await rig.status(web)).notProgrammed?.message).to.include(`/${TENANT}/shop`);
    expect(rig.peer.unit.configuration.has('ltm/pool', path)).to.equal(true);
  });

  for (const perApp of [true, false]) {
    const how = perApp ? 'per application' : 'with whole tenants';
    it(`takes nodes and addresses that its own applications use for nobody else's, ${how}`, async () => {
      await start({ perApp });
      const six = { name: 'six', address: '2001:db8::10', nodes: ['2001:db8:1::1'] };
      const listed = { name: 'listed', address: '198.51.100.11', nodes: ['10.0.0.1', '10.0.0.2'] };
      const services = [rig.desire(), rig.desire(listed)];
      services.push(
        withRanges(rig.desire(six)),
        withRanges(rig.desire({ ...listed, name: 'more', port: 81 })),
      );
      for (const each of services) await rig.bring(each);
      rig.restartOperator();
      for (const each of services) {
        expect((await rig.status(each)).notProgrammed).to.equal(undefined);
        await rig.refresh(each);
        expect((await rig.status(each)).notProgrammed).to.equal(undefined);
      }
      for (const each of services) await rig.remove(each);
      expect(rig.peer.unit.configuration.has('auth/partition', `/${TENANT}`)).to.equal(false);
    });
  }
});

/** With several of them, virtual servers have traffic matching criteria. */
function withRanges(desired: DesiredLoadBalancer): DesiredLoadBalancer {
  const sourceRanges = ['192.0.2.0/25', '203.0.113.0/25', '2001:db8:2::/64', '2001:db8:3::/64'];
  return { ...desired, spec: { ...desired.spec, sourceRanges, ipFamilies: ['IPv4', 'IPv6'] } };
}
