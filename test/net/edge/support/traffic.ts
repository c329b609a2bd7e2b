import { Agent, type ClientRequest, createServer, get, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A web server at a node's port, which answers with its own name. */
export async function startServer(address: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/slow') {
      setTimeout(() => response.end(address), 1_500);
      return;
    }
    response.end(address);
  });
  // A kept connection that the server ends by itself is what makes requests fail without anybody's fault.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return server;
}

export async function stopServer(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}

/** One request; rejects when it isn't answered. */
export function ask(
  address: string,
  port: number,
  options: { agent?: Agent; path?: string } = {},
): Promise<string> {
  const { agent = false, path = '/' } = options;
  return bodyOf(get({ host: address, port, path, agent, timeout: 15_000 }));
}

/** The body that a request is answered with. */
export function bodyOf(request: ClientRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    request.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}

const EVERY_MS = 10;

/** New connections and kept ones in turn, or new ones only, two hundred a second until it is stopped. */
export class Load {
  readonly #address: string;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #timer: NodeJS.Timeout;
  readonly #open = new Set<Promise<void>>();
  readonly failures: string[] = [];
  answered = 0;

  constructor(address: string, port: number, which: 'both' | 'new' = 'both') {
    this.#address = address;
    this.#port = port;
    this.#timer = setInterval(() => {
      this.#send(undefined);
      this.#send(which === 'both' ? this.#agent : undefined);
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
  }

  #send(agent: Agent | undefined): void {
    const asked = ask(this.#address, this.#port, agent === undefined ? {} : { agent }).then(
      () => {
        this.answered++;
      },
      (error: unknown) => {
        this.failures.push(`${agent === undefined ? 'new' : 'kept'}: ${String(error)}`);
      },
    );
    this.#open.add(asked);
    void asked.finally(() => this.#open.delete(asked));
  }
}

/** A connection that says something, and then whatever the other side wants. */
export async function open(address: string, port: number, text: string): Promise<Socket> {
  const socket = connect({ host: address, port });
  socket.on('error', () => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('close', () => reject(new Error(`${address} port ${port} took no connection`)));
  });
  socket.write(text);
  return socket;
}
