import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { type Ending, joinSockets } from '../../../agent/local-node-ports/join-sockets.ts';

/** The three parties of a joined connection. */
interface Joint {
  client: Socket;
  server: Socket;
  ending: Promise<Ending>;
  close: () => void;
}

describe('a connection that is passed on', () => {
  let joint: Joint;

  beforeEach(async () => {
    joint = await makeJoint();
  });

  afterEach(() => joint.close());

  it('goes on in one direction after the other has ended', async () => {
    const { client, server, ending } = joint;
    client.end('question');
    expect(await readAll(server)).to.equal('question');

    server.write('first half, ');
    server.end('second half');
    expect(await readAll(client)).to.equal('first half, second half');
    expect(await ending).to.equal('closed');
  });

  it('is reset towards the client when the server resets it', async () => {
    const { client, server, ending } = joint;
    const failed = once(client, 'error');
    server.write('hello');
    await once(client, 'data');
    server.resetAndDestroy();

    expect((await failed)[0]).to.include({ code: 'ECONNRESET' });
    expect(await ending).to.equal('closed');
  });

  it('is reset towards the server when the client resets it', async () => {
    const { client, server, ending } = joint;
    const failed = once(server, 'error');
    client.resetAndDestroy();

    expect((await failed)[0]).to.include({ code: 'ECONNRESET' });
    expect(await ending).to.equal('closed');
  });

  it('holds a sender back while nobody reads', async () => {
    const { client, server } = joint;
    server.pause();
    const chunk = Buffer.alloc(2 ** 20);
    let sent = 0;
    // What the kernel and both ends buffer is a few megabytes; more means that somebody hoards.
    for (let round = 0; round < 64; round++) {
      sent++;
      if (client.write(chunk)) continue;
      const drained = await Promise.race([
        once(client, 'drain').then(() => true),
        new Promise<false>((resolve) => setTimeout(() => resolve(false), 500)),
      ]);
      if (!drained) break;
    }
    expect(sent).to.be.below(64);

    client.end();
    let came = 0;
    server.on('data', (data) => {
      came += data.length;
    });
    server.resume();
    await once(server, 'end');
    expect(came).to.equal(sent * chunk.length);
  });

  it('that nobody takes is reset', async () => {
    const free = await freePort();
    const { client, ending, close } = await makeJoint(free);
    const failed = once(client, 'error');
    expect((await failed)[0]).to.include({ code: 'ECONNRESET' });
    expect(await ending).to.equal('failed');
    close();
  });
});

async function makeJoint(port?: number): Promise<Joint> {
  const target = createServer({ allowHalfOpen: true });
  const front = createServer({ allowHalfOpen: true });
  await Promise.all([listen(target), listen(front)]);
  const arrived = port === undefined ? once(target, 'connection') : undefined;
  const ending = once(front, 'connection').then(([socket]: Socket[]) => {
    if (socket === undefined) throw new Error('no socket');
    return joinSockets(socket, '127.0.0.1', port ?? portOf(target));
  });
  const client = connect({ port: portOf(front), host: '127.0.0.1', allowHalfOpen: true });
  const [server]: Socket[] = (await arrived) ?? [client];
  if (server === undefined) throw new Error('no socket');
  const close = () => {
    for (const socket of [client, server]) socket.on('error', () => {}).destroy();
    for (const each of [target, front]) each.close();
  };
  return { client, server, ending, close };
}

async function listen(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await listen(server);
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

function portOf(server: Server): number {
  const address = server.address() as AddressInfo;
  return address.port;
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) text += chunk;
  return text;
}
