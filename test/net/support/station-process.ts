import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { exchange } from './exchange-bytes.ts';
import { readGreeting } from './read-greeting.ts';
import { Flows } from './station-flows.ts';
import type { Answer, Dial, Outcome, Request, Transport } from './station-protocol.ts';
import { type PacketWatch, startWatch } from './watch-packets.ts';

/** What runs in each namespace of a topology: answers who it is and whom it sees, and dials. `station-process.ts <name>` */
const [name = ''] = process.argv.slice(2);
const SCTP = fileURLToPath(new URL('sctp.pl', import.meta.url));
const DEFAULT_TIMEOUT_MS = 2_000;

const flows = new Flows();
const watches = new Map<string, PacketWatch>();
let held: Socket | undefined;
let dialing: { stopped: boolean; outcomes: Promise<Outcome[]> } | undefined;

process.on('message', (message: { id: number; request: Request }) => {
  void handle(message.request).then(
    (answer) => process.send?.({ id: message.id, answer }),
    (error: unknown) => process.send?.({ id: message.id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ id: 0, answer: {} });

async function handle(request: Request): Promise<Answer> {
  switch (request.do) {
    case 'listen':
      await listen(request.transport, request.port);
      return {};
    case 'dial':
      return { outcomes: await Promise.all(request.dials.map(dial)) };
    case 'keepDialing':
      dialing = { stopped: false, outcomes: Promise.resolve([]) };
      dialing.outcomes = keepDialing(request.dial, request.everyMs);
      return {};
    case 'halt':
      if (dialing !== undefined) dialing.stopped = true;
      return { outcomes: (await dialing?.outcomes) ?? [] };
    case 'exchange':
      return { text: String(await exchange(request.dial, request.bytes)) };
    case 'openFlow':
      await flows.open(request.id, request.flow);
      return {};
    case 'useFlow':
      return { outcomes: [await flows.use(request.id, request.timeoutMs)] };
    case 'closeFlow':
      flows.close(request.id);
      return {};
    case 'watch':
      watches.set(request.id, await startWatch(request.address, request.port));
      return {};
    case 'unwatch':
      return { packets: (await watches.get(request.id)?.end()) ?? [] };
    case 'hold':
      held = await hold(request.dial);
      return {};
    case 'talk':
      return { text: await talk(request.text) };
  }
}

async function listen(transport: Transport, port: number): Promise<void> {
  if (transport === 'tcp') {
    // The greeting tells who answers and whom it sees; whatever is sent is echoed.
    const server = createServer((socket) => {
      socket.on('error', () => {});
      const { remoteAddress = '', localPort, localAddress = '' } = socket;
      socket.write(`${name} ${plain(remoteAddress)} ${localPort} ${plain(localAddress)}\n`);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(port, '::', 1024, resolve));
  } else if (transport === 'udp') {
    for (const type of ['udp4', 'udp6'] as const) {
      const socket = createSocket({ type, ipv6Only: type === 'udp6' });
      socket.on('error', () => {});
      socket.on('message', (_, { address, port }) =>
        socket.send(`${name} ${plain(address)} ${socket.address().port}\n`, port, address),
      );
      await new Promise<void>((resolve) => socket.bind(port, resolve));
    }
  } else {
    const listener = spawn('perl', [SCTP, 'listen', String(port), name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    process.once('exit', () => listener.kill('SIGKILL'));
    await new Promise((resolve) => listener.stdout.once('data', resolve));
  }
}

function dial(target: Dial): Promise<Outcome> {
  if (target.transport === 'tcp') return dialTcp(target);
  return target.transport === 'udp' ? dialUdp(target) : dialSctp(target);
}

function dialTcp({ address, port, source, timeoutMs = DEFAULT_TIMEOUT_MS }: Dial): Promise<Outcome> {
  return judge(timeoutMs, (served, failed) => {
    const socket = connect({
      host: address,
      port,
      ...(source === undefined ? {} : { localAddress: source }),
    });
    socket.once('error', failed);
    socket.once('data', (data) => {
      served(data.toString());
      socket.resetAndDestroy();
    });
    return () => socket.destroy();
  });
}

function dialUdp({ address, port, source, timeoutMs = DEFAULT_TIMEOUT_MS }: Dial): Promise<Outcome> {
  return judge(timeoutMs, (served, failed) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('error', failed);
    socket.once('message', (data) => served(data.toString()));
    // Only a connected socket hears of ICMP errors, and it does so on the next call.
    let again: NodeJS.Timeout | undefined;
    socket.bind(0, source, () =>
      socket.connect(port, address, (error?: NodeJS.ErrnoException) => {
        if (error) return failed(error);
        socket.send('who', (error?: NodeJS.ErrnoException | null) => error && failed(error));
        again = setTimeout(() => socket.send('who', () => {}), 50);
      }),
    );
    return () => {
      clearTimeout(again);
      socket.close();
    };
  });
}

/** The kernel need not have SCTP: a raw socket sends the INIT of an association, and another answers it. */
function dialSctp({ address, port, timeoutMs = DEFAULT_TIMEOUT_MS }: Dial): Promise<Outcome> {
  return judge(timeoutMs, (served, failed) => {
    const child = spawn('perl', [SCTP, 'dial', address, String(port), String(timeoutMs / 1000)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout.once('data', (data: Buffer) => {
      const text = data.toString();
      if (text.startsWith('refused')) failed({ code: 'ECONNREFUSED' });
      else served(text);
    });
    return () => child.kill('SIGKILL');
  });
}

function judge(
  timeoutMs: number,
  start: (
    served: (greeting: string) => void,
    failed: (error: { code?: string | undefined }) => void,
  ) => () => void,
): Promise<Outcome> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let ended = false;
    const end = (outcome: (tookMs: number) => Outcome) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      resolve(outcome(performance.now() - startedAt));
      setImmediate(() => close());
    };
    const timer = setTimeout(() => end((tookMs) => ({ result: 'timeout', tookMs })), timeoutMs);
    const close = start(
      (greeting) => {
        end((tookMs) => ({ ...readGreeting(greeting), tookMs }));
      },
      ({ code = 'unknown' }) =>
        end((tookMs) =>
          code === 'ECONNREFUSED' ? { result: 'refused', tookMs } : { result: 'failed', code, tookMs },
        ),
    );
  });
}

async function keepDialing(target: Dial, everyMs: number): Promise<Outcome[]> {
  const outcomes: Promise<Outcome>[] = [];
  while (dialing?.stopped === false) {
    outcomes.push(dial(target));
    await sleep(everyMs);
  }
  return Promise.all(outcomes);
}

async function hold({ address, port }: Dial): Promise<Socket> {
  const socket = connect({ host: address, port });
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', resolve);
  });
  socket.on('error', () => {});
  return socket;
}

async function talk(text: string): Promise<string> {
  const socket = held;
  if (socket === undefined) throw new Error('no connection is held');
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('no echo')), DEFAULT_TIMEOUT_MS).unref();
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once('data', (data) => resolve(data.toString()));
    socket.write(text);
  });
}

function plain(address: string): string {
  return address.replace(/^::ffff:/, '');
}
