import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket as TcpSocket } from 'node:net';
import { readGreeting } from './read-greeting.ts';
import type { Flow, Outcome } from './station-protocol.ts';

interface OpenFlow {
  /** Sends something; what comes back goes to `heard`. */
  say(): void;
  heard: (text: string) => void;
  failed: (error: NodeJS.ErrnoException) => void;
  /** An error that came while nobody asked. */
  problem: NodeJS.ErrnoException | undefined;
  greeting: string;
  close(): void;
}

/** The flows of one station: sockets that are kept, and with them their source ports. */
export class Flows {
  readonly #open = new Map<string, OpenFlow>();

  async open(id: string, flow: Flow): Promise<void> {
    this.close(id);
    this.#open.set(id, flow.transport === 'udp' ? await openUdp(flow) : await openTcp(flow));
  }

  /** A TCP flow stays with whom it was connected to; every answer counts as that one's. */
  use(id: string, timeoutMs: number): Promise<Outcome> {
    const flow = this.#open.get(id);
    if (flow === undefined) return Promise.reject(new Error(`there is no flow ${id}`));
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const end = (outcome: (tookMs: number) => Outcome) => {
        clearTimeout(timer);
        flow.heard = () => {};
        flow.failed = (error) => {
          flow.problem = error;
        };
        resolve(outcome(performance.now() - startedAt));
      };
      const timer = setTimeout(() => end((tookMs) => ({ result: 'timeout', tookMs })), timeoutMs);
      flow.heard = (text) => {
        end((tookMs) => ({ ...readGreeting(text), tookMs }));
      };
      flow.failed = ({ code = 'unknown' }) =>
        end((tookMs) =>
          code === 'ECONNREFUSED' ? { result: 'refused', tookMs } : { result: 'failed', code, tookMs },
        );
      if (flow.problem === undefined) return flow.say();
      flow.failed(flow.problem);
      flow.problem = undefined;
    });
  }

  close(id: string): void {
    this.#open.get(id)?.close();
    this.#open.delete(id);
  }
}

async function openUdp({ address, port, source, sourcePort = 0 }: Flow): Promise<OpenFlow> {
  const socket: UdpSocket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const flow = newFlow(
    () => socket.send('who', (error) => error && flow.failed(error)),
    () => socket.close(),
  );
  socket.on('message', (data) => flow.heard(data.toString()));
  socket.on('error', (error) => flow.failed(error));
  await new Promise<void>((resolve) => socket.bind(sourcePort, source, resolve));
  await new Promise<void>((resolve, reject) =>
    socket.connect(port, address, (error?: Error) => (error ? reject(error) : resolve())),
  );
  return flow;
}

async function openTcp({ address, port, source, sourcePort }: Flow): Promise<OpenFlow> {
  const socket: TcpSocket = connect({
    host: address,
    port,
    ...(source === undefined ? {} : { localAddress: source }),
    ...(sourcePort === undefined ? {} : { localPort: sourcePort }),
  });
  const [greeting] = await once(socket, 'data');
  const flow = newFlow(
    () => socket.write('again\n'),
    () => socket.resetAndDestroy(),
  );
  flow.greeting = String(greeting);
  socket.on('data', () => flow.heard(flow.greeting));
  socket.on('error', (error) => flow.failed(error));
  socket.on('end', () => flow.failed(Object.assign(new Error('closed'), { code: 'closed' })));
  return flow;
}

function newFlow(say: () => void, close: () => void): OpenFlow {
  const flow: OpenFlow = {
    say,
    close,
    heard: () => {},
    failed: (error) => {
      flow.problem = error;
    },
    problem: undefined,
    greeting: '',
  };
  return flow;
}
