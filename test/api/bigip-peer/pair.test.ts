import { expect } from 'chai';
import { type BigIpPeer, startBigIp } from '../../peers/bigip/bigip-peer.ts';
import { object, objects, text } from '../../peers/bigip/plain.ts';
import { app, endings, peerForEach, TestClient } from './support.ts';

describe('stand-in for BIG-IP: an active/standby pair', () => {
  let peer: BigIpPeer;
  let one: TestClient;
  let two: TestClient;
  peerForEach(
    (...made) => {
      [peer, one] = made;
      two = new TestClient(peer.units[1] ?? peer.unit);
    },
    { units: 2, group: 'pair' },
  );
  const states = async (client: TestClient) =>
    objects(object((await client.get('/mgmt/tm/cm/device')).body).items).map(
      ({ name, failoverState, selfDevice }) => `${text(name)} ${text(failoverState)} ${text(selfDevice)}`,
    );
  const syncStatus = async (client: TestClient) => {
    const [nested] = Object.values(
      object(object((await client.get('/mgmt/tm/cm/sync-status')).body).entries),
    );
    return text(object(object(object(object(nested).nestedStats).entries).status).description);
  };
  const sync = (client: TestClient, group = 'pair') =>
    client.post('/mgmt/tm/cm', { command: 'run', utilCmdArgs: `config-sync to-group ${group}` });

  it('tells on both units which one is active', async () => {
    expect(await states(one)).to.deep.equal([
      'bigip-1.example.com active true',
      'bigip-2.example.com standby false',
    ]);
    expect(await states(two)).to.deep.equal([
      'bigip-1.example.com active false',
      'bigip-2.example.com standby true',
    ]);
    expect(
      text(object(object((await two.get('/mgmt/tm/sys/failover')).body).apiRawValues).apiAnonymous),
    ).to.match(/^Failover standby for 0d 00:00:/);
  });

  it('has on the other unit what was synced, with the declarations', async () => {
    await one.declareApps('T', { a: app('192.0.2.1') });
    expect(await syncStatus(two)).to.equal('Changes Pending');
    expect(await two.list('ltm/virtual')).to.deep.equal({});

    expect((await sync(one)).status).to.equal(200);

    expect(await syncStatus(two)).to.equal('In Sync');
    expect(Object.keys(await two.list('ltm/virtual'))).to.deep.equal(['/T/a/web']);
    peer.failOver();
    expect(endings(await two.declareApps('T', { a: app('192.0.2.1') }))).to.deep.equal(['T: 200 no change']);
    expect(endings(await two.declareApps('T', { b: app('192.0.2.2') }))).to.deep.equal(['T: 200 success']);
  });

  it('loses on a sync what was written to the standby unit', async () => {
    await two.declareApps('T', { a: app('192.0.2.1') });

    await sync(one);

    expect(await two.list('ltm/virtual')).to.deep.equal({});
    expect((await two.get('/mgmt/shared/appsvcs/declare')).status).to.equal(204);
  });

  it('syncs for an AS3 request that names the group', async () => {
    const declaration = {
      class: 'ADC',
      schemaVersion: '3.50.0',
      T: { class: 'Tenant', a: app('192.0.2.1') },
    };
    await one.post('/mgmt/shared/appsvcs/declare', {
      class: 'AS3',
      syncToGroup: '/Common/pair',
      declaration,
    });

    expect(Object.keys(await two.list('ltm/virtual'))).to.deep.equal(['/T/a/web']);
  });

  it('syncs by itself where the group does', async () => {
    const own = await startBigIp({ units: 2, autoSync: true });
    try {
      const [first = own.unit, second = own.unit] = own.units;
      await new TestClient(first).declareApps('T', { a: app('192.0.2.1') });
      expect(second.configuration.has('ltm/virtual', '/T/a/web')).to.equal(true);
      first.edit('ltm/virtual', '/T/a/web', { connectionLimit: 5 });
      await new TestClient(first).patch('/mgmt/tm/ltm/pool/~T~a~servers', { description: 'edited' });
      expect(second.configuration.get('ltm/virtual', '/T/a/web')?.connectionLimit).to.equal(5);
      expect(second.configuration.get('ltm/pool', '/T/a/servers')?.description).to.equal('edited');
    } finally {
      await own.stop();
    }
  });

  it('knows no other group', async () => {
    expect((await sync(one, 'other')).status).to.equal(404);
    const alone = await startBigIp();
    try {
      const client = new TestClient(alone.unit);
      expect(await syncStatus(client)).to.equal('Standalone');
      expect((await sync(client)).status).to.equal(404);
    } finally {
      await alone.stop();
    }
  });

  it('fails over, with what each unit has, and connections only where it is active', async () => {
    await one.declareApps('T', { a: app('192.0.2.1') });
    await sync(one);
    peer.setMember('10.0.0.1', { connections: 3 });
    const connections = async (client: TestClient) => {
      const entries = object(object((await client.get('/mgmt/tm/ltm/pool/~T~a~servers/stats')).body).entries);
      return object(
        object(object(object(Object.values(entries)[0]).nestedStats).entries)['serverside.curConns'],
      ).value;
    };
    expect([await connections(one), await connections(two)]).to.deep.equal([3, 0]);

    peer.failOver();

    expect(peer.active).to.equal(peer.units[1]);
    expect(await states(one)).to.deep.equal([
      'bigip-1.example.com standby true',
      'bigip-2.example.com active false',
    ]);
    expect([await connections(one), await connections(two)]).to.deep.equal([0, 3]);
  });

  it('has tokens of its own on each unit', async () => {
    await one.login();
    const token = one;
    expect((await token.get('/mgmt/tm/cm/device')).status).to.equal(200);
    expect(peer.units.map(({ sessions }) => sessions.size)).to.deep.equal([1, 0]);
  });
});
