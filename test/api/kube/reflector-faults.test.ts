import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { KubeClient } from '../../../kube/client.ts';
import { createInformer, type Informer, type InformerOptions } from '../../../kube/informer.ts';
import { silentLogger } from '../../../kube/log.ts';
import { ScriptedServer, sendJson } from '../../peers/scripted-server.ts';
import { CONFIG_MAPS, type ConfigMap, eventually, recordChanges } from './support.ts';

function item(name: string, resourceVersion: number) {
  return { metadata: { namespace: 'ns', name, uid: `uid-${name}`, resourceVersion: `${resourceVersion}` } };
}

function list(resourceVersion: number, items: object[], token?: string) {
  return {
    kind: 'ConfigMapList',
    metadata: { resourceVersion: `${resourceVersion}`, continue: token },
    items,
  };
}

function event(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

function expired(message = 'too old'): object {
  return { kind: 'Status', code: 410, reason: 'Expired', message };
}

/** Faults that a healthy API server does not show on demand, by a server that does. */
describe('kube/reflector and a server at fault', function () {
  this.timeout(90_000);
  let server: ScriptedServer;
  let client: KubeClient;
  let informer: Informer<ConfigMap>;
  let errors: string[];
  /** `list`, `list all` (without a limit), `page <token>` or `watch <resourceVersion>`, as they came. */
  let asked: string[];
  let onList: (response: ServerResponse, token: string | null, count: number) => void;
  let onWatch: (response: ServerResponse, count: number) => void | Promise<void>;

  function observe(options: Partial<InformerOptions<ConfigMap>> = {}) {
    informer = createInformer(client, CONFIG_MAPS, {
      log: silentLogger,
      onError: (error) => errors.push(error.reason),
      ...options,
    });
    return informer;
  }

  beforeEach(async () => {
    errors = [];
    asked = [];
    onList = (response) => sendJson(response, 200, list(10, [item('a', 5)]));
    onWatch = (response) => void response.writeHead(200).flushHeaders();
    let lists = 0;
    let watches = 0;
    server = await ScriptedServer.start((_request, response, url) => {
      const { searchParams } = url;
      if (searchParams.has('watch')) {
        asked.push(`watch ${searchParams.get('resourceVersion')}`);
        void onWatch(response, ++watches);
        return;
      }
      const token = searchParams.get('continue');
      asked.push(token === null ? (searchParams.has('limit') ? 'list' : 'list all') : `page ${token}`);
      onList(response, token, ++lists);
    });
    client = new KubeClient({ server: server.url });
  });
  afterEach(async () => {
    await informer.stop();
    await client.close();
    await server.stop();
  });

  it('lists all in one piece when the pages expire, and in pages the next time', async () => {
    onList = (response, token, count) => {
      if (token === null && count === 1) sendJson(response, 200, list(10, [item('a', 5)], 'more'));
      else if (token !== null) sendJson(response, 410, expired());
      else sendJson(response, 200, list(20, [item('a', 5), item('b', 6)]));
    };
    onWatch = (response, count) => {
      response.writeHead(200);
      if (count === 1) response.end(event('ERROR', expired()));
      else response.flushHeaders();
    };
    observe({ pageSize: 1 }).start();

    await eventually('the second watch', () => asked.length === 6);

    expect(asked).to.deep.equal(['list', 'page more', 'list all', 'watch 20', 'list', 'watch 20']);
    expect(informer.store.size).to.equal(2);
  });

  it('lists again after an ERROR event that says Expired, and watches again after any other', async () => {
    onWatch = (response, count) => {
      response.writeHead(200);
      if (count === 1) {
        response.write(event('MODIFIED', item('a', 11)));
        response.end(event('ERROR', { kind: 'Status', code: 500, reason: 'InternalError', message: 'oops' }));
      } else if (count === 2) response.end(event('ERROR', expired()));
      else response.flushHeaders();
    };
    observe().start();

    await eventually('the third watch', () => asked.length === 5);

    expect(asked).to.deep.equal(['list', 'watch 10', 'watch 11', 'list', 'watch 10']);
    expect(errors).to.deep.equal(['InternalError', 'Expired']);
  });

  it('watches from the last bookmark', async () => {
    onWatch = (response, count) => {
      response.writeHead(200);
      response.write(event('BOOKMARK', { metadata: { resourceVersion: '99' } }));
      if (count === 1) response.end();
    };
    observe().start();

    await eventually('the second watch', () => asked.length === 3);

    expect(asked).to.deep.equal(['list', 'watch 10', 'watch 99']);
    expect(errors).to.deep.equal([]);
  });

  it('does not hurry when each watch ends at once, or is refused as expired', async () => {
    onWatch = (response, count) => {
      if (count % 2 === 0) sendJson(response, 410, expired());
      else response.writeHead(200).end();
    };
    observe().start();

    await sleep(3_000);
    const askedInThreeSeconds = asked.length;
    await eventually('it goes on', () => asked.length >= 3);

    expect(askedInThreeSeconds).to.be.at.most(14);
  });

  it('lists again after a line that is no event, and keeps what came before it', async () => {
    onList = (response, _token, count) =>
      sendJson(response, 200, list(count === 1 ? 10 : 30, count === 1 ? [] : [item('a', 11), item('b', 12)]));
    onWatch = (response, count) => {
      response.writeHead(200).flushHeaders();
      if (count === 1) response.write(`${event('ADDED', item('a', 11))}{"type":"ADDED","obj\n`);
    };
    const seen = recordChanges(observe());
    informer.start();

    await eventually('both are there', () => informer.store.size === 2);

    expect(seen).to.deep.equal(['Added a', 'Added b']);
    expect(errors).to.deep.equal(['BadWatchLine']);
  });

  it('reads events that come byte by byte', async () => {
    const text = event('ADDED', { ...item('slow', 11), data: { value: 'größer 🚢' } });
    onWatch = async (response) => {
      response.writeHead(200).flushHeaders();
      for (const byte of Buffer.from(text)) {
        response.write(Buffer.from([byte]));
        await sleep(0);
      }
    };
    observe().start();

    await eventually('it came', () => informer.store.size === 2);

    expect(informer.store.get('ns/slow')?.data).to.deep.equal({ value: 'größer 🚢' });
  });

  it('lists again when versions go back: the server has another past now', async () => {
    onList = (response, _token, count) =>
      sendJson(response, 200, count === 1 ? list(1000, [item('a', 900)]) : list(500, [item('b', 400)]));
    onWatch = (response, count) => {
      response.writeHead(200).flushHeaders();
      if (count === 1) response.write(event('MODIFIED', item('a', 499)));
    };
    const seen = recordChanges(observe());
    informer.start();

    await eventually('the second listing', () => informer.store.get('ns/b') !== undefined);

    expect(errors).to.deep.equal(['ResourceVersionWentBack']);
    expect(seen).to.deep.equal(['Added a', 'Deleted a', 'Added b']);
  });

  it('lists again after two silent watches in a row: it may watch from a future that never comes', async () => {
    observe({ idleTimeoutMs: 500 }).start();

    await eventually('the second listing', () => asked.filter((each) => each === 'list').length === 2);

    expect(asked.slice(0, 4)).to.deep.equal(['list', 'watch 10', 'watch 10', 'list']);
  });

  it('waits as long as the server asks', async () => {
    onList = (response, _token, count) =>
      count === 1
        ? sendJson(response, 429, { kind: 'Status', reason: 'TooManyRequests' }, { 'retry-after': '2' })
        : sendJson(response, 200, list(10, []));
    const begin = performance.now();
    observe().start();

    await informer.synced;

    expect(performance.now() - begin).to.be.at.least(1_990);
  });

  it('goes on asking when it may not watch, keeping what it has', async () => {
    onWatch = (response) => sendJson(response, 403, { kind: 'Status', code: 403, reason: 'Forbidden' });
    observe().start();

    await eventually('it asked twice', () => asked.length >= 3);

    expect(asked.slice(0, 3)).to.deep.equal(['list', 'watch 10', 'watch 10']);
    expect(informer.store.size).to.equal(1);
    expect(errors[0]).to.equal('Forbidden');
  });

  it('keeps an object whole that the transform fails on', async () => {
    onWatch = (response) => void response.writeHead(200).write(event('ADDED', item('b', 11)));
    observe({
      transform: () => {
        throw new Error('transform');
      },
    }).start();

    await eventually('both are there', () => informer.store.size === 2);

    expect(informer.store.get('ns/b')?.metadata.uid).to.equal('uid-b');
    expect(errors).to.deep.equal([]);
  });

  it('asks for bookmarks and a time-out between five and ten minutes', async () => {
    observe().start();
    await eventually('the watch', () => asked.length === 2);

    const { searchParams } = new URL(server.requests[1]?.split(' ')[1] ?? '', server.url);

    expect(searchParams.get('allowWatchBookmarks')).to.equal('true');
    expect(Number(searchParams.get('timeoutSeconds'))).to.be.within(300, 600);
  });
});
