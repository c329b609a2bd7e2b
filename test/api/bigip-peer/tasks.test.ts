import { expect } from 'chai';
import { type BigIpOptions, type BigIpPeer, startBigIp } from '../../peers/bigip/bigip-peer.ts';
import { object, objects, text } from '../../peers/bigip/plain.ts';
import { eventually } from '../../support/eventually.ts';
import { app, endings, fragileClient, messageOf, resultsOf, type TestClient } from './support.ts';

const TASKS = '/mgmt/shared/appsvcs/task';
const BUSY = 'Error: Configuration operation in progress on device localhost, please try again in 2 minutes';
/** So long that nothing ends by itself. */
const NEVER = 3_600_000;

describe('stand-in for BIG-IP: declarations that take their time', () => {
  let peer: BigIpPeer;
  let client: TestClient;
  const start = async (options: BigIpOptions = {}) => {
    peer = await startBigIp(options);
    client = fragileClient(peer.unit);
  };
  afterEach(async () => {
    await peer.stop();
  });
  const declareInBackground = async (name: string, address: string) => {
    const answer = await client.declareApps('T', { [name]: app(address) }, '?async=true');
    expect(answer.status).to.equal(202);
    return text(object(answer.body).id);
  };
  const isRunning = () => eventually(() => expect(peer.unit.as3.isRunning).to.equal(true));

  it('go on in the background, and are told of by their task', async () => {
    await start({ times: { declaration: NEVER } });

    const answer = await client.declareApps('T', { a: app('192.0.2.1') }, '?async=true');
    const path = `${TASKS}/${text(object(answer.body).id)}`;

    expect(resultsOf(answer)[0]).to.include({ message: 'Declaration successfully submitted', code: 0 });
    expect(object(answer.body).selfLink).to.equal(`https://localhost${path}`);
    expect(resultsOf(await client.get(path))[0]).to.include({ message: 'in progress', code: 0 });
    peer.unit.as3.finish();
    const task = await eventually(async () => {
      const seen = await client.get(path);
      expect(endings(seen)).to.deep.equal(['T: 200 success']);
      return seen;
    });
    // A task has the declaration as it is kept, by tenant.
    expect(object(object(object(task.body).declaration).T)).to.have.all.keys('class', 'a');
    expect((await client.get(`${TASKS}/none`)).status).to.equal(404);
  });

  it('are told of in the background when they are refused', async () => {
    await start();

    const task = await declareInBackground('a', '192.0.2.1');
    await declareInBackground('b', '192.0.2.1');
    const wrong = await client.declareApps(
      'T',
      { c: app('192.0.2.3', { service: { pool: 'none' } }) },
      '?async=true',
    );

    const tasks = objects(object((await client.get(TASKS)).body).items);
    expect(tasks).to.have.length(3);
    expect(tasks.map(({ results }) => objects(results)[0]?.message)).to.deep.equal([
      'declaration is invalid',
      'declaration failed',
      'success',
    ]);
    expect(tasks[2]?.id).to.equal(task);
    expect(wrong.status).to.equal(202);
  });

  it('keep others out meanwhile', async () => {
    await start({ times: { declaration: NEVER } });
    await declareInBackground('a', '192.0.2.1');
    await isRunning();

    const sync = await client.declareApps('U', { b: app('192.0.2.2') });
    const task = await declareInBackground('c', '192.0.2.3');

    expect([sync.status, messageOf(sync)]).to.deep.equal([503, BUSY]);
    expect(object(sync.body)).to.deep.include({ code: 503, host: 'localhost', tenant: ['U'] });
    await eventually(async () => {
      expect(resultsOf(await client.get(`${TASKS}/${task}`))[0]).to.include({ code: 503, message: BUSY });
    });
    expect((await client.get('/mgmt/shared/appsvcs/declare')).status).to.equal(204);
  });

  it('find the device busy as often as a test says', async () => {
    await start();
    peer.busyFor(2);

    const statuses: number[] = [];
    for (let attempt = 0; attempt < 3; attempt++)
      statuses.push((await client.declareApps('T', { a: app('192.0.2.1') })).status);

    expect(statuses).to.deep.equal([503, 503, 200]);
  });

  it('are answered with 202 when they take longer than a call may', async () => {
    await start({ times: { declaration: NEVER, swapToAsync: 20 } });

    const answer = await client.declareApps('T', { a: app('192.0.2.1') });

    expect(answer.status).to.equal(202);
    peer.unit.as3.finish();
    await eventually(async () => {
      expect(endings(await client.get(`${TASKS}/${text(object(answer.body).id)}`))).to.deep.equal([
        'T: 200 success',
      ]);
    });
  });

  it('take longer the more they change, and no time when they change nothing', async () => {
    await start();
    await client.declare({ T: { a: app('192.0.2.1') } });
    peer.times.perChange = NEVER;

    expect(endings(await client.declare({ T: { a: app('192.0.2.1') } }))).to.deep.equal(['T: 200 no change']);
    await declareInBackground('b', '192.0.2.2');
    await isRunning();
    expect((await client.declare({ T: { a: app('192.0.2.1') } })).status).to.equal(503);
  });

  for (const [inFlight, virtuals, declared] of [
    ['lost', [], 204],
    ['applied', ['/T/a/web'], 200],
    ['unsaved', ['/T/a/web'], 204],
  ] as const) {
    it(`are ${inFlight} when the device restarts, with their task cancelled and tokens gone`, async () => {
      await start({ times: { declaration: NEVER } });
      await client.login();
      const task = await declareInBackground('a', '192.0.2.1');
      await isRunning();

      peer.unit.restart({ inFlight });

      expect(messageOf(await client.get(TASKS))).to.equal('X-F5-Auth-Token does not exist.');
      await client.login();
      expect(resultsOf(await client.get(`${TASKS}/${task}`))[0]).to.include({
        message: 'task cancelled',
        code: 0,
      });
      expect(Object.keys(await client.list('ltm/virtual'))).to.deep.equal(virtuals);
      expect((await client.get('/mgmt/shared/appsvcs/declare')).status).to.equal(declared);
      peer.times.declaration = 0;
      expect(endings(await client.declareApps('T', { a: app('192.0.2.1') }))).to.deep.equal([
        inFlight === 'lost' ? 'T: 200 success' : 'T: 200 no change',
      ]);
    });
  }

  it('leave a call without an answer when the device restarts', async () => {
    await start({ times: { declaration: NEVER } });
    const waiting = client.declareApps('T', { a: app('192.0.2.1') }).then(
      () => 'answered',
      () => 'cut',
    );
    await isRunning();

    peer.unit.restart();

    expect(await waiting).to.equal('cut');
    expect(peer.calls.declarations()[0]).to.include({ cut: 'before', status: undefined });
  });

  it('find the lock of one that a restart ended for two more minutes', async () => {
    await start({ times: { declaration: NEVER } });
    await declareInBackground('a', '192.0.2.1');
    await isRunning();

    peer.unit.restart({ keepLock: true });
    peer.times.declaration = 0;

    expect((await client.declareApps('T', { a: app('192.0.2.1') })).status).to.equal(503);
    peer.clock.advance(120_000);
    expect((await client.declareApps('T', { a: app('192.0.2.1') })).status).to.equal(200);
  });

  it('find nobody but a page while the device starts', async () => {
    await start();
    peer.unit.restart({ downMs: NEVER });

    const page = await client.get('/mgmt/tm/ltm/virtual');

    expect([page.status, page.type]).to.deep.equal([503, 'text/html; charset=iso-8859-1']);
    peer.unit.restart();
    expect((await client.get('/mgmt/tm/ltm/virtual')).status).to.equal(200);
  });

  it('lose their tasks with a restart when the settings keep them in memory', async () => {
    await start();
    await client.post('/mgmt/shared/appsvcs/settings', { asyncTaskStorage: 'memory' });
    const task = await declareInBackground('a', '192.0.2.1');

    peer.unit.restart();

    expect((await client.get(`${TASKS}/${task}`)).status).to.equal(404);
  });
});
