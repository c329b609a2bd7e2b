import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';

/**
 * - `passing`: as if it weren't there;
 * - `silent`: takes requests and answers none, and open watches say nothing any more;
 * - `failing`: answers 500 to everything, and ends watches;
 * - `unauthorized`: answers 401 to everything, as to a token that ran out, and ends watches;
 * - `gone`: nobody listens any more, and connections are cut;
 * - `emptied`: as an API server whose etcd was exchanged for a new one: listings are empty, of an early resourceVersion.
 */
export type RelayMode = 'passing' | 'silent' | 'failing' | 'unauthorized' | 'gone' | 'emptied';

const FAILURES: Partial<Record<RelayMode, number>> = { failing: 500, unauthorized: 401 };

/** Plain HTTP in front of a real API server, which can be as bad as one in trouble. */
export class ApiRelay {
  readonly #server: Server;
  readonly #target: URL;
  readonly #ca: string | undefined;
  readonly #open = new Set<ServerResponse>();
  #mode: RelayMode = 'passing';
  #place: AddressInfo = { address: '', family: '', port: 0 };
  /** Requests taken since the mode was set. */
  requests = 0;

  private constructor(target: string, ca: string | undefined) {
    this.#target = new URL(target);
    this.#ca = ca;
    this.#server = createServer((inner, outer) => this.#take(inner, outer));
  }

  static async start(host: string, target: { server: string; ca?: string }): Promise<ApiRelay> {
    const relay = new ApiRelay(target.server, target.ca);
    relay.#server.listen(0, host);
    await once(relay.#server, 'listening');
    const place = relay.#server.address();
    if (place === null || typeof place === 'string') throw new Error('the relay has no address');
    relay.#place = place;
    return relay;
  }

  get url(): string {
    const { address, port } = this.#place;
    return `http://${address}:${port}`;
  }

  /** What is open is cut, so that the new mode is met; but one that falls silent cuts nothing. */
  become(mode: RelayMode): void {
    this.#mode = mode;
    this.requests = 0;
    if (mode === 'silent') return;
    for (const response of this.#open) response.destroy();
    if (mode === 'gone') {
      this.#server.close();
      this.#server.closeAllConnections();
    } else if (!this.#server.listening) this.#server.listen(this.#place.port, this.#place.address);
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  #take(inner: IncomingMessage, outer: ServerResponse): void {
    this.requests++;
    this.#open.add(outer);
    outer.once('close', () => this.#open.delete(outer));
    if (this.#mode === 'silent') return;
    const code = FAILURES[this.#mode];
    if (code !== undefined) answer(outer, code, { kind: 'Status', apiVersion: 'v1', code });
    else if (this.#mode === 'emptied' && isListing(inner)) answerEmpty(inner, outer);
    else this.#pass(inner, outer);
  }

  #pass(inner: IncomingMessage, outer: ServerResponse): void {
    const { hostname, port } = this.#target;
    const onward = request(
      {
        hostname,
        port,
        path: inner.url,
        method: inner.method,
        headers: { ...inner.headers, host: this.#target.host },
        ca: this.#ca,
      },
      (answered) => {
        outer.writeHead(answered.statusCode ?? 502, answered.headers);
        answered.on('data', (chunk: Buffer) => {
          if (this.#mode !== 'silent') outer.write(chunk);
        });
        answered.once('end', () => {
          if (this.#mode !== 'silent') outer.end();
        });
        answered.once('error', () => outer.destroy());
      },
    );
    onward.once('error', () => outer.destroy());
    outer.once('close', () => onward.destroy());
    inner.pipe(onward);
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function isListing({ method, url = '' }: IncomingMessage): boolean {
  return method === 'GET' && /\/(services|endpointslices|loadbalancers)(\?|$)/.test(url);
}

/** Nothing is there, and nothing happens; a place to watch from that was another server's is not known. */
function answerEmpty({ url = '' }: IncomingMessage, outer: ServerResponse): void {
  const query = new URL(url, 'http://relay').searchParams;
  if (!query.has('watch')) {
    answer(outer, 200, { kind: 'List', metadata: { resourceVersion: '7' }, items: [] });
  } else if (query.get('resourceVersion') !== '7') {
    answer(outer, 410, { kind: 'Status', apiVersion: 'v1', code: 410, reason: 'Expired' });
  } else outer.writeHead(200).flushHeaders();
}
