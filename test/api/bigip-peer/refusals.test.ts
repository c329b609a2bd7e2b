import { expect } from 'chai';
import { type BigIpPeer, startBigIp } from '../../peers/bigip/bigip-peer.ts';
import { list, object, type PlainObject } from '../../peers/bigip/plain.ts';
import {
  type Answer,
  type AppOptions,
  app,
  endings,
  messageOf,
  peerForEach,
  resultsOf,
  TestClient,
} from './support.ts';

const errorsOf = ({ body }: Answer) => list(object(body).errors).map(String);

describe('stand-in for BIG-IP: what is refused', () => {
  let peer: BigIpPeer;
  let client: TestClient;
  peerForEach((...made) => {
    [peer, client] = made;
  });
  const declareOne = (options: AppOptions) => client.declareApps('T', { a: app('192.0.2.1', options) });
  const responseTo = async (apps: PlainObject) =>
    String(resultsOf(await client.declare({ T: apps }))[0]?.response);

  it('says whether declarations are held against F5’s schema', async () => {
    const loose = await startBigIp({ checkSchema: false });
    try {
      const answer = await new TestClient(loose.unit).declareApps('T', {
        a: app('192.0.2.1', { pool: { slowRampTime: 5_000 } }),
      });

      expect(loose.schemaChecked).to.equal(false);
      expect(answer.status).to.equal(200);
    } finally {
      await loose.stop();
    }
  });

  it('is what F5’s schema has no place for, where it is there', async () => {
    if (!peer.schemaChecked) {
      // Without F5's schema only names and classes are checked: the next test.
      expect((await declareOne({ pool: { slowRampTime: 5_000 } })).status).to.equal(200);
      return;
    }
    const outOfRange = await declareOne({ pool: { slowRampTime: 5_000 } });
    const unknown = await declareOne({ service: { virtualPrt: 80 } });
    const word = await client.declare({ T: { a: app('192.0.2.1', { pool: { monitors: ['tpc'] } }) } });

    expect([outOfRange.status, messageOf(outOfRange)]).to.deep.equal([422, 'declaration is invalid']);
    expect(errorsOf(outOfRange)).to.deep.equal(['/a/servers/slowRampTime: should be <= 900']);
    expect([unknown.status, messageOf(unknown)]).to.deep.equal([422, 'Invalid data property: virtualPrt']);
    expect(errorsOf(word)[0]).to.match(/^\/T\/a\/servers\/monitors\/0: should be /);
    expect(object(word.body)).to.deep.include({ host: 'localhost', tenant: ['T'], declarationId: 'test' });
  });

  it('is a name that BIG-IP hasn’t', async () => {
    expect((await client.declareApps('T', { '1app': app('192.0.2.1') })).status).to.equal(422);
    expect((await client.declareApps('T', { 'an app': app('192.0.2.1') })).status).to.equal(422);
    expect((await client.declareApps('T', { ['a'.repeat(191)]: app('192.0.2.1') })).status).to.equal(422);
    expect((await client.declareApps('T', { ['a'.repeat(190)]: app('192.0.2.1') })).status).to.equal(200);
  });

  it('is the name of something that wasn’t declared', async () => {
    const pool = await declareOne({ service: { pool: 'other' } });
    const monitor = await declareOne({ pool: { monitors: [{ use: 'own' }] } });

    expect([pool.status, messageOf(pool)]).to.deep.equal([422, 'declaration is invalid']);
    expect(errorsOf(pool)).to.deep.equal(['/T/a/web/pool: contains path to non-existent object other']);
    expect(errorsOf(monitor)[0]).to.include('non-existent object own');
    expect(
      (
        await declareOne({
          pool: { monitors: [{ use: 'own' }] },
          more: { own: { class: 'Monitor', monitorType: 'tcp' } },
        })
      ).status,
    ).to.equal(200);
  });

  for (const [property, service] of [
    ['profileL4', { profileL4: { bigip: '/Common/none' } }],
    ['iRules/0', { iRules: [{ bigip: '/Common/none' }] }],
    ['allowVlans/0', { allowVlans: [{ bigip: '/Common/none' }] }],
    ['snat', { snat: { bigip: '/Common/none' } }],
  ] as const) {
    it(`is something of the device’s that isn’t there (${property}), until somebody makes it`, async () => {
      const refused = await declareOne({ service });

      expect([refused.status, messageOf(refused)]).to.deep.equal([
        422,
        `Unable to find /Common/none for /T/a/web/${property}`,
      ]);
      expect(await client.list('ltm/virtual')).to.deep.equal({});
      const kinds: Record<string, string> = {
        profileL4: 'ltm/profile/fastl4',
        'iRules/0': 'ltm/rule',
        'allowVlans/0': 'net/vlan',
        snat: 'ltm/snatpool',
      };
      peer.unit.create(kinds[property] ?? '', { name: 'none', partition: 'Common' });
      expect((await declareOne({ service })).status).to.equal(200);
    });
  }

  it('is an address and port that another virtual server has', async () => {
    await client.declare({ U: { x: app('192.0.2.1', { members: ['10.0.9.1'] }) } });
    peer.unit.create('ltm/virtual', {
      name: 'by-hand',
      partition: 'Common',
      destination: '198.51.100.1:80',
      ipProtocol: 'tcp',
    });

    expect(await responseTo({ a: app('192.0.2.1') })).to.equal(
      '0107176c:3: Invalid Virtual Address, the IP address 192.0.2.1 already exists.',
    );
    expect(await responseTo({ a: app('198.51.100.1') })).to.equal(
      '01070333:3: Virtual Server /T/a/web illegally shares destination address, source address, service port, ip-protocol, and vlan with Virtual Server /Common/by-hand.',
    );
    expect(endings(await client.declare({ T: { a: app('198.51.100.1', { port: 81 }) } }))).to.deep.equal([
      'T: 200 success',
    ]);
  });

  it('is an address twice on one port, but for other protocols and VLANs', async () => {
    const on = (vlan: string) => ({ service: { allowVlans: [{ bigip: `/Common/${vlan}` }] } });

    expect(await responseTo({ a: app('192.0.2.1'), b: app('192.0.2.1', on('internal')) })).to.match(
      /^01070333:3: Virtual Server \/T\/b\/web illegally/,
    );
    expect(
      endings(
        await client.declare({
          T: { a: app('192.0.2.1', on('external')), b: app('192.0.2.1', on('internal')) },
        }),
      ),
    ).to.deep.equal(['T: 200 success']);
    expect(
      endings(
        await client.declare({
          T: { a: app('192.0.2.1'), b: app('192.0.2.1', { service: { layer4: 'udp' } }) },
        }),
      ),
    ).to.deep.equal(['T: 200 success']);
  });

  it('is a node that another partition has, unless nodes are shared', async () => {
    peer.unit.create('auth/partition', { name: 'Theirs' });
    peer.unit.create('ltm/node', { name: 'server', partition: 'Theirs', address: '10.0.0.1' });

    expect(await responseTo({ a: app('192.0.2.1') })).to.equal(
      '0107176c:3: Invalid Node, the IP address 10.0.0.1 already exists.',
    );
    const shared = { members: ['10.0.0.5'], member: { shareNodes: true } };
    await client.declare({ T: { a: app('192.0.2.1', shared) }, U: { b: app('192.0.2.2', shared) } });
    expect(Object.keys(await client.list('ltm/node')).sort()).to.deep.equal([
      '/Common/10.0.0.5',
      '/Theirs/server',
    ]);
    await client.delete('/mgmt/shared/appsvcs/declare/T');
    expect(Object.keys(await client.list('ltm/node'))).to.include('/Common/10.0.0.5');
    await client.delete('/mgmt/shared/appsvcs/declare/U');
    expect(Object.keys(await client.list('ltm/node'))).to.deep.equal(['/Theirs/server']);
  });

  it('is a declaration for a newer AS3, and all of AS3 where it isn’t installed', async () => {
    const old = await startBigIp({ as3Version: '3.50.2' });
    const none = await startBigIp({ as3: false });
    try {
      const client = new TestClient(old.unit);
      expect((await client.declare({ T: { a: app('192.0.2.1') } })).status).to.equal(200);
      const tooNew = await client.declare({ T: { a: app('192.0.2.1') } }, { schemaVersion: '3.51.0' });
      expect([tooNew.status, errorsOf(tooNew)]).to.deep.equal([
        422,
        ['/schemaVersion: should be equal to one of the allowed values'],
      ]);

      const missing = await new TestClient(none.unit).get('/mgmt/shared/appsvcs/info');
      expect([missing.status, messageOf(missing)]).to.deep.equal([
        404,
        'Public URI path not registered. Please see /var/log/restjavad.0.log and /var/log/restnoded/restnoded.log for details.',
      ]);
      expect((await new TestClient(none.unit).get('/mgmt/tm/ltm/virtual')).status).to.equal(200);
    } finally {
      await Promise.all([old.stop(), none.stop()]);
    }
  });

  it('is what AS3 has no word for', async () => {
    const bad = await client.get('/mgmt/shared/appsvcs/declare?show=everything');
    const none = await client.post('/mgmt/shared/appsvcs/declare', { schemaVersion: '3.50.0' });
    const query = await client.declareApps('T', { a: app('192.0.2.1') }, '?asinc=true');

    expect([bad.status, messageOf(bad)]).to.deep.equal([400, 'show must be "base", "full", or "expanded"']);
    expect([none.status, messageOf(none)]).to.deep.equal([
      422,
      "Invalid request: /declaration: should have required property 'class'",
    ]);
    expect(query.status).to.equal(400);
    expect((await client.declare({ Common: { Shared: { class: 'Application' } } })).status).to.equal(422);
    expect((await client.get('/mgmt/tm/ltm/nothing')).status).to.equal(404);
  });
});
