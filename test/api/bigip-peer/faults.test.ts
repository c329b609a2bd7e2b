import { expect } from 'chai';
import type { BigIpPeer } from '../../peers/bigip/bigip-peer.ts';
import { DECLARE } from '../../peers/bigip/call-log.ts';
import { eventually } from '../../support/eventually.ts';
import { app, endings, fragileClient, peerForEach, type TestClient } from './support.ts';

describe('stand-in for BIG-IP: what goes wrong on demand', () => {
  let peer: BigIpPeer;
  let client: TestClient;
  peerForEach((made) => {
    peer = made;
    client = fragileClient(made.unit);
  });
  const ending = (asked: Promise<{ status: number }>) =>
    asked.then(
      ({ status }) => String(status),
      () => 'cut',
    );
  const declare = (name: string, address: string) => client.declareApps('T', { [name]: app(address) });

  it('answers the nth call, or the first few, with an error that isn’t the device’s doing', async () => {
    const second = peer.inject({
      method: 'POST',
      path: DECLARE,
      nth: 2,
      fault: { answer: { status: 500, body: { code: 500, message: 'broken' } } },
    });
    peer.inject({ method: 'GET', path: /virtual$/, times: 1, fault: { answer: { status: 503 } } });

    const statuses = [
      await ending(declare('a', '192.0.2.1')),
      await ending(declare('b', '192.0.2.2')),
      await ending(declare('b', '192.0.2.2')),
    ];

    expect(statuses).to.deep.equal(['200', '500', '200']);
    expect(second.hits).to.equal(1);
    expect(await ending(client.get('/mgmt/tm/ltm/virtual'))).to.equal('503');
    expect(await ending(client.get('/mgmt/tm/ltm/virtual'))).to.equal('200');
  });

  it('cuts a connection before the device did anything, or after it did all', async () => {
    peer.inject({ path: DECLARE, nth: 1, fault: { cut: 'before' } });
    peer.inject({ path: DECLARE, nth: 1, fault: { cut: 'after' } });

    expect(await ending(declare('a', '192.0.2.1'))).to.equal('cut');
    expect(await client.list('ltm/virtual')).to.deep.equal({});
    expect(await ending(declare('a', '192.0.2.1'))).to.equal('cut');
    expect(await client.list('ltm/virtual')).to.have.property('/T/a/web');
    expect(peer.calls.declarations().map(({ cut }) => cut)).to.deep.equal(['before', 'after']);
  });

  it('never answers, until it is healed', async () => {
    peer.inject({ path: DECLARE, nth: 1, fault: { silent: 'after' } });
    let answered = false;
    const waiting = ending(declare('a', '192.0.2.1')).then((result) => {
      answered = true;
      return result;
    });

    await eventually(async () => expect(await client.list('ltm/virtual')).to.have.property('/T/a/web'));
    expect(answered).to.equal(false);
    peer.heal();

    expect(await waiting).to.equal('cut');
    expect(await ending(declare('b', '192.0.2.2'))).to.equal('200');
  });

  it('refuses connections while it is unplugged, and comes back on its port', async () => {
    const { url } = peer.unit;
    await peer.unit.unplug();
    expect(await ending(client.get('/mgmt/tm/ltm/virtual'))).to.equal('cut');

    await peer.unit.listen();

    expect(peer.unit.url).to.equal(url);
    expect(await ending(client.get('/mgmt/tm/ltm/virtual'))).to.equal('200');
  });

  it('runs what a test wants before and after a call', async () => {
    const seen: string[] = [];
    peer.beforeCall(({ method }) => void seen.push(`before ${method}`));
    const away = peer.afterCall(({ method, status }) => void seen.push(`after ${method} ${status}`));

    await client.get('/mgmt/tm/ltm/pool');
    away();
    await client.get('/mgmt/tm/ltm/pool');

    expect(seen).to.deep.equal(['before GET', 'after GET 200', 'before GET']);
  });

  it('keeps a log of calls with their sizes, without passwords', async () => {
    await client.login();
    await declare('a', '192.0.2.1');
    await client.get('/mgmt/tm/ltm/virtual?$filter=partition+eq+T');

    const [login, declared, read] = peer.calls.all;

    expect(login).to.include({
      method: 'POST',
      path: '/mgmt/shared/authn/login',
      status: 200,
      body: undefined,
    });
    expect(declared).to.include({
      unit: 'bigip-1.example.com',
      path: `${DECLARE}/T/applications`,
      status: 200,
      cut: undefined,
    });
    expect(declared?.bytes).to.equal(Buffer.byteLength(JSON.stringify(declared?.body)));
    expect(read).to.include({ query: '$filter=partition+eq+T', bytes: 0 });
    expect(read?.answerBytes).to.be.greaterThan(100);
    expect(JSON.stringify(peer.calls.all)).to.not.include('admin-password');
    expect(peer.calls.writes()).to.deep.equal([declared]);
    expect(peer.calls.count({ method: 'GET', path: '/mgmt/tm', status: 200 })).to.equal(1);
  });

  it('does what was asked for also when nobody waits for the answer any more', async () => {
    peer.times.declaration = 3_600_000;
    const gone = ending(declare('a', '192.0.2.1'));
    await eventually(() => expect(peer.unit.as3.isRunning).to.equal(true));

    await peer.unit.unplug();
    await peer.unit.listen();

    expect(await gone).to.equal('cut');
    peer.unit.as3.finish();
    peer.times.declaration = 0;
    await eventually(async () => expect(await client.list('ltm/virtual')).to.have.property('/T/a/web'));
    expect(endings(await declare('a', '192.0.2.1'))).to.deep.equal(['T: 200 no change']);
  });
});
