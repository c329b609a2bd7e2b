import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { KubeClient } from '../../../kube/client.ts';
import { NODES } from '../../../kube/resources.ts';
import { ScriptedServer, sendJson } from '../../peers/scripted-server.ts';
import { errorOf, eventually } from './support.ts';

/** Answers that no healthy API server gives, by a server that gives them. */
describe('kube/client and a server at fault', () => {
  let server: ScriptedServer;
  let client: KubeClient;

  beforeEach(async () => {
    server = await ScriptedServer.start((_request, response) => sendJson(response, 200, {}));
    client = new KubeClient({ server: `${server.url}/behind/a/path/` });
  });
  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  it('keeps the path that the server sits behind', async () => {
    await client.request('GET', '/api/v1/nodes', {
      query: { limit: 5, watch: undefined, labelSelector: 'a in (b,c)' },
    });

    expect(server.requests).to.deep.equal([
      'GET /behind/a/path/api/v1/nodes?limit=5&labelSelector=a+in+%28b%2Cc%29',
    ]);
  });

  it('ends a request that gets no answer, and frees its connection', async () => {
    server.answer(() => {});

    const error = await errorOf(client.request('GET', '/x', { timeoutMs: 50 }));

    expect(error).to.include({ class: 'Transient', reason: 'Timeout' });
    await eventually('the connection is gone', async () => (await server.connections()) === 0);
  });

  it('ends a request whose body never ends', async () => {
    server.answer((_request, response) => {
      response.writeHead(200);
      response.write('{"half":');
    });

    expect(await errorOf(client.request('GET', '/x', { timeoutMs: 50 }))).to.include({ reason: 'Timeout' });
  });

  it('ends a request when its caller does', async () => {
    server.answer(() => {});
    const controller = new AbortController();
    const asking = errorOf(client.request('GET', '/x', { signal: controller.signal }));
    await eventually('it was asked', () => server.requests.length === 1);
    controller.abort();

    const error = await asking;
    const again = await errorOf(client.request('GET', '/x', { signal: controller.signal }));

    expect(error).to.include({ class: 'Transient', reason: 'Aborted' });
    expect(again).to.include({ reason: 'Aborted' });
    expect(server.requests).to.have.length(1);
  });

  it('sends a GET again that met a kept-alive connection as it died, and never a write', async () => {
    let seen = 0;
    server.answer((request, response) => {
      if (++seen % 2 === 0) request.socket.destroy();
      else sendJson(response, 200, { seen });
    });
    await client.request('GET', '/first');

    const second = await client.request<{ seen: number }>('GET', '/second');
    const write = await errorOf(client.request('POST', '/third', { body: {} }));

    expect(second.seen).to.equal(3);
    expect(write).to.include({ class: 'Transient', reason: 'ConnectionLost' });
    expect(server.requests.map((each) => each.replace('/behind/a/path', ''))).to.deep.equal([
      'GET /first',
      'GET /second',
      'GET /second',
      'POST /third',
    ]);
  });

  it('gives up a GET whose connections die twice', async () => {
    server.answer((request) => request.socket.destroy());

    expect(await errorOf(client.request('GET', '/x'))).to.include({ reason: 'ConnectionLost' });
    expect(server.requests).to.have.length(2);
  });

  it('says that nobody listens', async () => {
    await server.stop();

    const error = await errorOf(client.request('GET', '/x'));

    expect(error).to.include({ class: 'Transient', reason: 'ConnectionRefused' });
    server = await ScriptedServer.start((_request, response) => sendJson(response, 200, {}));
  });

  it('hands on how long a server asks to wait', async () => {
    server.answer((_request, response) =>
      sendJson(response, 429, { kind: 'Status', reason: 'TooManyRequests' }, { 'retry-after': '4' }),
    );

    expect(await errorOf(client.request('GET', '/x'))).to.include({
      class: 'Throttled',
      retryAfterSeconds: 4,
    });
  });

  it('makes an error of a success that is not JSON, and of a redirect', async () => {
    server.answer((_request, response) => void response.end('<html>log in</html>'));
    const page = await errorOf(client.request('GET', '/x'));
    server.answer((_request, response) => void response.writeHead(302, { location: '/login' }).end());
    const redirect = await errorOf(client.request('GET', '/x'));

    expect(page).to.include({ class: 'Transient', reason: 'BadAnswer' });
    expect(redirect).to.include({ class: 'Rejected', code: 302 });
  });

  it('asks with a token read anew after a 401, and only once', async () => {
    const asked: (boolean | undefined)[] = [];
    const tokens: unknown[] = [];
    const guarded = new KubeClient({
      server: server.url,
      token: async (fresh) => {
        asked.push(fresh);
        return fresh ? 'new' : 'old';
      },
    });
    server.answer((request, response) => {
      tokens.push(request.headers.authorization);
      sendJson(response, 401, { kind: 'Status', reason: 'Unauthorized' });
    });

    const error = await errorOf(guarded.request('POST', '/x', { body: { a: 1 } }));

    expect(tokens).to.deep.equal(['Bearer old', 'Bearer new']);
    expect(asked).to.deep.equal([false, true]);
    expect(error).to.include({ class: 'Transient', code: 401 });
    await guarded.close();
  });

  it('lists in one piece when the moment of the pages is gone, and gives up when that expires too', async () => {
    const metadata = { resourceVersion: '9' };
    server.answer((_request, response, url) => {
      const { searchParams } = url;
      if (searchParams.has('continue')) sendJson(response, 410, { kind: 'Status', reason: 'Expired' });
      else if (searchParams.has('limit'))
        sendJson(response, 200, { metadata: { ...metadata, continue: 'x' }, items: [1] });
      else sendJson(response, 200, { metadata, items: [1, 2, 3] });
    });
    const { items } = await client.list(NODES);
    server.answer((_request, response) => sendJson(response, 410, { kind: 'Status', reason: 'Expired' }));
    const error = await errorOf(client.list(NODES));

    expect(items).to.deep.equal([1, 2, 3]);
    expect(error).to.include({ class: 'Expired' });
  });

  it('parses an answer of 60 MB', async () => {
    const items = Array.from({ length: 60 }, (_, index) => `${index}${'ä'.repeat(500_000)}`);
    server.answer((_request, response) => sendJson(response, 200, { items }));

    const answer = await client.request<{ items: string[] }>('GET', '/x');

    expect(answer.items.length).to.equal(60);
    expect(answer.items[59] === items[59]).to.equal(true);
  }).timeout(30_000);

  it('cuts requests and watches on close, and leaves no connection', async () => {
    server.answer((_request, response, url) => {
      if (url.pathname.endsWith('/watch')) response.writeHead(200).write('{"one":1}\n');
    });
    const pending = errorOf(client.request('GET', '/never'));
    const stream = await client.stream('/watch', {});
    const reading = errorOf(
      (async () => {
        for await (const _ of stream);
      })(),
    );
    await eventually('both are there', async () => (await server.connections()) === 2);

    await client.close();

    expect(await pending).to.include({ class: 'Transient' });
    expect(await reading).to.be.instanceOf(Error);
    await eventually('no connection is left', async () => (await server.connections()) === 0);
    expect(await errorOf(client.request('GET', '/late'))).to.include({ reason: 'ClientClosed' });
  });

  it('survives the abort of a stream that nobody has read yet', async () => {
    server.answer((_request, response) => {
      response.writeHead(200);
      response.write('x');
    });
    const controller = new AbortController();
    await client.stream('/watch', { signal: controller.signal });

    controller.abort();
    await sleep(50);

    await eventually('its connection is gone', async () => (await server.connections()) === 0);
  });

  it('waits for the first bytes of a stream no longer than it was told, for the rest as long as it takes', async () => {
    server.answer((_request, response, url) => {
      if (url.pathname.endsWith('/silent')) return;
      response.writeHead(200);
      response.flushHeaders();
      setTimeout(() => response.end('late'), 3_000);
    });

    const error = await errorOf(client.stream('/silent', { timeoutMs: 50 }));
    const chunks: Buffer[] = [];
    for await (const chunk of await client.stream('/slow', { timeoutMs: 2_000 })) chunks.push(chunk);

    expect(error).to.include({ reason: 'Timeout' });
    expect(Buffer.concat(chunks).toString()).to.equal('late');
  });
});
