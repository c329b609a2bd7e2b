import { expect } from 'chai';
import type { BigIpPeer } from '../../peers/bigip/bigip-peer.ts';
import { object, objects, type PlainObject, text } from '../../peers/bigip/plain.ts';
import { type Answer, app, endings, messageOf, peerForEach, type TestClient } from './support.ts';

const POOL = '/mgmt/tm/ltm/pool/~T~a~servers';

describe('stand-in for BIG-IP: what declarations become', () => {
  let peer: BigIpPeer;
  let client: TestClient;
  peerForEach((...made) => {
    [peer, client] = made;
  });
  const members = async () => objects(object((await client.get(`${POOL}/members`)).body).items);
  /** Of nested statistics, by what they are of. */
  const statsOf = ({ body }: Answer): Record<string, PlainObject> =>
    Object.fromEntries(
      Object.entries(object(object(body).entries)).map(([link, nested]) => [
        link.replace(/^.*\/~|\/stats$/g, ''),
        object(object(object(nested).nestedStats).entries),
      ]),
    );

  it('is a virtual server with its address and pool', async () => {
    const service = {
      allowVlans: [{ bigip: '/Common/external' }],
      snat: 'none',
      maxConnections: 100,
      iRules: [{ bigip: '/Common/_sys_https_redirect' }],
      persistenceMethods: ['source-address'],
      sourceAddress: '203.0.113.0/24',
      remark: 'shop/web',
    };
    await client.declareApps('T', { a: app('192.0.2.1', { service }) });

    const { '/T/a/web': virtual = {} } = await client.list('ltm/virtual', '?$filter=partition+eq+T');

    expect(virtual).to.deep.include({
      kind: 'tm:ltm:virtual:virtualstate',
      name: 'web',
      partition: 'T',
      subPath: 'a',
      destination: '/T/192.0.2.1:80',
      mask: '255.255.255.255',
      source: '203.0.113.0/24',
      ipProtocol: 'tcp',
      pool: '/T/a/servers',
      connectionLimit: 100,
      description: 'shop/web',
      enabled: true,
      vlansEnabled: true,
      vlans: ['/Common/external'],
      rules: ['/Common/_sys_https_redirect'],
      sourceAddressTranslation: { type: 'none' },
      persist: [{ name: 'source_addr', partition: 'Common', tmDefault: 'yes' }],
    });
    expect(Object.keys(virtual).filter((name) => name.startsWith('#'))).to.deep.equal([]);
    const { '/T/192.0.2.1': address } = await client.list('ltm/virtual-address');
    expect(address).to.include({
      address: '192.0.2.1',
      arp: 'enabled',
      trafficGroup: '/Common/traffic-group-1',
    });
    expect(await client.list('ltm/virtual', '?$filter=partition+eq+U')).to.deep.equal({});
  });

  it('is one virtual server an address, with IPv6 as the device writes it', async () => {
    const service = { virtualAddresses: ['192.0.2.1', '2001:db8::1'] };
    await client.declareApps('T', { a: app('192.0.2.1', { service, members: ['2001:db8::a'] }) });

    const virtuals = await client.list('ltm/virtual');

    expect(
      Object.fromEntries(Object.entries(virtuals).map(([path, { destination }]) => [path, destination])),
    ).to.deep.equal({
      '/T/a/web': '/T/192.0.2.1:80',
      '/T/a/web-1-': '/T/2001:db8::1.80',
    });
    expect((await members())[0]).to.include({
      name: '2001:db8::a.30080',
      address: '2001:db8::a',
      fullPath: '/T/2001:db8::a.30080',
    });
  });

  for (const [kind, service, protocol, profiles] of [
    ['Service_TCP', {}, 'tcp', ['/Common/f5-tcp-progressive']],
    ['Service_TCP', { profileTCP: { bigip: '/Common/tcp' } }, 'tcp', ['/Common/tcp']],
    ['Service_UDP', {}, 'udp', ['/Common/udp']],
    ['Service_SCTP', { persistenceMethods: undefined }, 'sctp', ['/Common/sctp']],
    ['Service_L4', { layer4: 'sctp' }, 'sctp', ['/Common/fastL4']],
  ] as const) {
    it(`is of the protocol and profiles of ${kind} ${JSON.stringify(service)}`, async () => {
      const answer = await client.declareApps('T', {
        a: app('192.0.2.1', { service: { class: kind, ...service } }),
      });

      expect(endings(answer)).to.deep.equal(['T: 200 success']);
      const { '/T/a/web': virtual = {} } = await client.list('ltm/virtual', '?expandSubcollections=true');
      expect(virtual.ipProtocol).to.equal(protocol);
      expect(objects(object(virtual.profilesReference).items).map(({ fullPath }) => fullPath)).to.deep.equal(
        profiles,
      );
    });
  }

  it('matches a list of sources by criteria, which take destination and source out of the virtual server', async () => {
    const more = { clients: { class: 'Net_Address_List', addresses: ['203.0.113.0/24', '198.51.100.7'] } };
    await client.declareApps('T', {
      a: app('192.0.2.1', { service: { sourceAddress: { use: 'clients' } }, more }),
    });

    const { '/T/a/web': virtual } = await client.list('ltm/virtual');
    const { '/T/a/web_VS_TMC_OBJ': criteria } = await client.list('ltm/traffic-matching-criteria');

    expect(virtual)
      .to.include({ trafficMatchingCriteria: '/T/a/web_VS_TMC_OBJ' })
      .and.not.have.any.keys('destination', 'source');
    expect(criteria).to.include({
      destinationAddressInline: '192.0.2.1/255.255.255.255',
      sourceAddressList: '/T/a/clients',
    });
    // As somebody saw it on a device: the port is lost, and has to be a list, too.
    expect(criteria).to.include({ destinationPortInline: '0' });
    expect((await client.list('net/address-list'))['/T/a/clients']?.addresses).to.deep.equal([
      { name: '203.0.113.0/24' },
      { name: '198.51.100.7' },
    ]);
  });

  it('matches a list of sources and a list of ports', async () => {
    const more = {
      clients: { class: 'Net_Address_List', addresses: ['203.0.113.0/24', '198.51.100.7'] },
      ports: { class: 'Net_Port_List', ports: [80] },
    };
    const service = { sourceAddress: { use: 'clients' }, virtualPort: { use: 'ports' } };
    await client.declareApps('T', { a: app('192.0.2.1', { service, more }) });
    const { '/T/a/web_VS_TMC_OBJ': criteria } = await client.list('ltm/traffic-matching-criteria');
    expect(criteria).to.include({ destinationPortList: '/T/a/ports', sourceAddressList: '/T/a/clients' });
    expect((await client.list('net/port-list'))['/T/a/ports']?.ports).to.deep.equal([{ name: '80' }]);
  });

  it('is a pool whose members stand below it', async () => {
    const member = { priorityGroup: 2, connectionLimit: 50, ratio: 3 };
    const pool = {
      minimumMembersActive: 1,
      loadBalancingMode: 'least-connections-member',
      slowRampTime: 0,
      monitors: [{ use: 'health' }],
    };
    const more = {
      health: {
        class: 'Monitor',
        monitorType: 'http',
        targetPort: 10_256,
        interval: 3,
        timeout: 10,
        send: 'GET /healthz',
        receive: '200',
      },
    };
    await client.declareApps('T', { a: app('192.0.2.1', { member, pool, more }) });

    const { '/T/a/servers': shown = {} } = await client.list('ltm/pool', '?expandSubcollections=true');

    expect(shown).to.include({
      loadBalancingMode: 'least-connections-member',
      minActiveMembers: 1,
      slowRampTime: 0,
      monitor: 'min 1 of { /T/a/health }',
    });
    expect(shown).to.not.have.property('members');
    expect(objects(object(shown.membersReference).items)).to.deep.equal(await members());
    expect((await members())[0]).to.include({
      name: '10.0.0.1:30080',
      fullPath: '/T/10.0.0.1:30080',
      address: '10.0.0.1',
      priorityGroup: 2,
      connectionLimit: 50,
      ratio: 3,
    });
    expect((await client.list('ltm/monitor/http', '?$filter=partition+eq+T'))['/T/a/health']).to.include({
      destination: '*:10256',
      interval: 3,
      timeout: 10,
      send: 'GET /healthz',
      recv: '200',
    });
  });

  it('has members in the state of their monitors and of whoever disabled them', async () => {
    await client.declareApps('T', { a: app('192.0.2.1', { members: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] }) });
    peer.setMember('10.0.0.2:30080', { up: false });
    peer.setMember('10.0.0.3', { connections: 7 });
    await client.patch(`${POOL}/members/~T~10.0.0.3:30080`, { session: 'user-disabled', state: 'user-up' });

    const states = (await members()).map(({ session, state }) => `${text(session)} ${text(state)}`);
    const stats = statsOf(await client.get(`${POOL}/members/stats`));

    expect(states).to.deep.equal(['monitor-enabled up', 'monitor-enabled down', 'user-disabled up']);
    expect(stats['T~10.0.0.2:30080']).to.deep.include({
      'status.availabilityState': { description: 'offline' },
      'status.enabledState': { description: 'enabled' },
    });
    expect(stats['T~10.0.0.3:30080']).to.deep.include({
      'status.availabilityState': { description: 'available' },
      'status.enabledState': { description: 'disabled' },
      'serverside.curConns': { value: 7 },
    });
    expect(statsOf(await client.get(`${POOL}/stats`))['T~a~servers']).to.deep.include({
      activeMemberCnt: { value: 2 },
      'serverside.curConns': { value: 7 },
    });
  });

  it('has members without a monitor unchecked, and those declared disabled or offline as such', async () => {
    const groups = [
      { servicePort: 80, serverAddresses: ['10.0.0.1'] },
      { servicePort: 80, serverAddresses: ['10.0.0.2'], adminState: 'disable' },
      { servicePort: 80, serverAddresses: ['10.0.0.3'], adminState: 'offline' },
    ];
    await client.declareApps('T', { a: app('192.0.2.1', { pool: { monitors: [], members: groups } }) });

    expect((await members()).map(({ session, state }) => `${text(session)} ${text(state)}`)).to.deep.equal([
      'user-enabled unchecked',
      'user-disabled unchecked',
      'user-disabled user-down',
    ]);
  });

  it('may be edited by hand, which the next declaration puts right', async () => {
    await client.declareApps('T', { a: app('192.0.2.1') });
    peer.unit.editMember('/T/a/servers', '/T/10.0.0.1:30080', { session: 'user-disabled' });
    await client.delete(`${POOL}/members/~T~10.0.0.2:30080`);
    await client.patch(POOL, { loadBalancingMode: 'ratio-member' });
    peer.unit.remove('ltm/virtual', '/T/a/web');
    expect((await members()).map(({ name }) => name)).to.deep.equal(['10.0.0.1:30080']);

    expect(endings(await client.declareApps('T', { a: app('192.0.2.1') }))).to.deep.equal(['T: 200 success']);

    expect((await members()).map(({ name, session }) => `${text(name)} ${text(session)}`)).to.deep.equal([
      '10.0.0.1:30080 monitor-enabled',
      '10.0.0.2:30080 monitor-enabled',
    ]);
    expect(object((await client.get(POOL)).body).loadBalancingMode).to.equal('round-robin');
    expect(await client.list('ltm/virtual')).to.have.property('/T/a/web');
    expect(endings(await client.declareApps('T', { a: app('192.0.2.1') }))).to.deep.equal([
      'T: 200 no change',
    ]);
  });

  it('is changed over iControl REST as on a device', async () => {
    const made = await client.post('/mgmt/tm/ltm/pool', {
      name: 'own',
      partition: 'Common',
      members: ['10.0.5.1:80', { name: '10.0.5.2:80', ratio: 4 }],
    });
    const again = await client.post('/mgmt/tm/ltm/pool', { name: '/Common/own' });
    await client.post('/mgmt/tm/ltm/virtual', {
      name: 'user',
      partition: 'Common',
      destination: '192.0.2.50:80',
      pool: '/Common/own',
      profiles: ['tcp'],
    });
    const inUse = await client.delete('/mgmt/tm/ltm/pool/~Common~own');
    const missing = await client.get('/mgmt/tm/ltm/pool/~Common~none');

    expect(made.status).to.equal(200);
    expect([again.status, messageOf(again)]).to.deep.equal([
      409,
      '01020066:3: The requested Pool (/Common/own) already exists in partition Common.',
    ]);
    expect([inUse.status, messageOf(inUse)]).to.deep.equal([
      400,
      '01070265:3: The Pool (/Common/own) cannot be deleted because it is in use by a Virtual Server (/Common/user).',
    ]);
    expect([missing.status, messageOf(missing)]).to.deep.equal([
      404,
      '01020036:3: The requested Pool (/Common/none) was not found.',
    ]);
    expect((await client.delete('/mgmt/tm/ltm/virtual/user')).status).to.equal(200);
    expect((await client.delete('/mgmt/tm/ltm/pool/own')).status).to.equal(200);
    expect(object((await client.get('/mgmt/tm/ltm/pool')).body)).to.not.have.property('items');
  });

  it('is filled in with the schema’s defaults on demand', async () => {
    await client.declareApps('T', { a: app('192.0.2.1') });

    const { body } = await client.get('/mgmt/shared/appsvcs/declare/T?show=full');

    const pool = object(object(object(object(body).T).a).servers);
    expect(pool.slowRampTime).to.equal(peer.schemaChecked ? 10 : undefined);
  });
});
