import { expect } from 'chai';
import { type BigIpPeer, startBigIp } from '../../peers/bigip/bigip-peer.ts';
import { object } from '../../peers/bigip/plain.ts';
import { app, endings, messageOf, peerForEach, resultsOf, TestClient } from './support.ts';

const DECLARE = '/mgmt/shared/appsvcs/declare';

describe('stand-in for BIG-IP: declarations of applications', () => {
  let peer: BigIpPeer;
  let client: TestClient;
  const virtuals = async () => Object.keys(await client.list('ltm/virtual')).sort();
  peerForEach((...made) => {
    [peer, client] = made;
  });

  it('leave all other applications of the tenant as they are', async () => {
    await client.declareApps('T', { a: app('192.0.2.1') });
    const answer = await client.declareApps('T', { b: app('192.0.2.2') });

    expect(endings(answer)).to.deep.equal(['T: 200 success']);
    expect(resultsOf(answer)[0]?.declarationId).to.match(/^autogen_/);
    expect(object(answer.body).declaration).to.deep.equal({ schemaVersion: '3.50.0', b: app('192.0.2.2') });
    expect(await virtuals()).to.deep.equal(['/T/a/web', '/T/b/web']);
    expect(endings(await client.declareApps('T', { b: app('192.0.2.2') }))).to.deep.equal([
      'T: 200 no change',
    ]);
  });

  it('take away what isn’t in the application any more', async () => {
    const more = { other: { class: 'Pool' } };
    await client.declareApps('T', { a: app('192.0.2.1', { more }), b: app('192.0.2.2', { more }) });

    await client.declareApps('T', { a: app('192.0.2.7', { members: ['10.0.0.9'] }) });

    expect(Object.keys(await client.list('ltm/pool')).sort()).to.deep.equal([
      '/T/a/servers',
      '/T/b/other',
      '/T/b/servers',
    ]);
    expect(Object.keys(await client.list('ltm/virtual-address')).sort()).to.deep.equal([
      '/T/192.0.2.2',
      '/T/192.0.2.7',
    ]);
    expect(Object.keys(await client.list('ltm/node')).sort()).to.deep.equal([
      '/T/10.0.0.1',
      '/T/10.0.0.2',
      '/T/10.0.0.9',
    ]);
  });

  it('refuse only themselves', async () => {
    await client.declareApps('T', { a: app('192.0.2.1') });

    const answer = await client.declareApps('T', { b: app('192.0.2.1') });

    expect(answer.status).to.equal(422);
    expect(resultsOf(answer)[0]).to.include({ code: 422, message: 'declaration failed', tenant: 'T' });
    expect(resultsOf(answer)[0]?.response)
      .to.include('/T/b/web illegally shares destination address')
      .and.include('/T/a/web');
    expect(await virtuals()).to.deep.equal(['/T/a/web']);
    expect((await client.get(`${DECLARE}/T/applications/b`)).status).to.equal(404);
  });

  it('are read and removed one by one, and the tenant goes with the last', async () => {
    await client.declareApps('T', { a: app('192.0.2.1'), b: app('192.0.2.2') });

    const all = await client.get(`${DECLARE}/T/applications`);
    const one = await client.get(`${DECLARE}/T/applications/b`);

    expect(all.body).to.deep.equal({ schemaVersion: '3.50.0', a: app('192.0.2.1'), b: app('192.0.2.2') });
    expect(one.body).to.deep.equal({ schemaVersion: '3.50.0', b: app('192.0.2.2') });
    expect(endings(await client.delete(`${DECLARE}/T/applications/a`))).to.deep.equal(['T: 200 success']);
    expect(await virtuals()).to.deep.equal(['/T/b/web']);
    expect((await client.delete(`${DECLARE}/T/applications/a`)).status).to.equal(404);
    expect(endings(await client.delete(`${DECLARE}/T/applications/b`))).to.deep.equal(['T: 200 success']);
    expect(Object.keys(await client.list('auth/partition'))).to.deep.equal(['Common']);
    expect((await client.get(DECLARE)).status).to.equal(204);
  });

  it('leave what was made in the partition by hand, which is in the way of the last removal', async () => {
    await client.declareApps('T', { a: app('192.0.2.1') });
    peer.unit.create('ltm/pool', { name: 'by-hand', partition: 'T' });

    await client.declareApps('T', { b: app('192.0.2.2') });
    await client.delete(`${DECLARE}/T/applications/a`);
    const last = await client.delete(`${DECLARE}/T/applications/b`);

    expect(resultsOf(last)[0]?.response).to.match(/^0107082a:3: All objects must be removed/);
    expect(Object.keys(await client.list('ltm/pool'))).to.have.members(['/T/by-hand', '/T/b/servers']);
    expect((await client.get(`${DECLARE}/T/applications/b`)).status).to.equal(200);
  });

  it('aren’t there when the settings say so, or AS3 is too old', async () => {
    await client.post('/mgmt/shared/appsvcs/settings', { perAppDeploymentAllowed: false });
    const off = await client.declareApps('T', { a: app('192.0.2.1') });
    const old = await startBigIp({ as3Version: '3.40.0' });
    try {
      const unknown = await new TestClient(old.unit).declareApps('T', { a: app('192.0.2.1') });
      const settings = await new TestClient(old.unit).get('/mgmt/shared/appsvcs/settings');

      expect([off.status, messageOf(off)]).to.deep.equal([
        400,
        'Error: Per-application deployment has been disabled on the settings endpoint',
      ]);
      expect([unknown.status, messageOf(unknown)]).to.deep.equal([
        422,
        "Invalid request: /declaration: should have required property 'class'",
      ]);
      expect(object(settings.body)).to.not.have.any.keys('perAppDeploymentAllowed', 'betaOptions');
      expect(await virtuals()).to.deep.equal([]);
    } finally {
      await old.stop();
    }
  });

  it('must have an application, and come to one tenant', async () => {
    expect(messageOf(await client.declareApps('T', {}))).to.include('must contain at least one application');
    expect((await client.declareApps('T,U', { a: app('192.0.2.1') })).status).to.equal(400);
  });

  it('are as large as what they change', async () => {
    const size = async (name: string, address: string) => {
      peer.calls.reset();
      await client.declareApps('T', { [name]: app(address) });
      return peer.calls.declarations().reduce((sum, { bytes }) => sum + bytes, 0);
    };

    const first = await size('first-app', '192.0.2.101');
    for (let other = 1; other < 30; other++) await size(`other-${other}`, `192.0.2.${other}`);

    expect(await size('later-app', '192.0.2.102')).to.equal(first);
  });
});
