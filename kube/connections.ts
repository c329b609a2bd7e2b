import { Socket } from 'node:net';
import type { Dispatcher, Pool as PoolType } from 'undici';
// The whole of undici (fetch, caches, WebSocket, ...) costs every agent 14 MB and 30 ms more than the pool alone.
import sendRequest from 'undici/lib/api/api-request.js';
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { REREAD_AFTER_MS } from './cached-file.ts';
import type { ConnectionConfig, TlsMaterial } from './config.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** The API server keeps idle connections for minutes; ours leave first, so that a request rarely meets a dying one. */
const KEEP_ALIVE_MS = 60_000;
/** Probes of the kernel find a dead peer in this time and ten seconds more; a watch has nothing else to notice it by. */
const TCP_KEEP_ALIVE_MS = 15_000;
const LONGEST_HEADERS = 64 * 1024;

interface Pools {
  material: TlsMaterial;
  requests: PoolType;
  watches: PoolType;
}

/**
 * The connections to one API server: a bounded pool for requests, an unbounded one for watches (each holds a connection
 * for as long as it lives, so they must never take those of requests). HTTP/1.1 on purpose: one TCP connection with all
 * watches of a process on it is one thing that can stall all of them.
 */
export class Connections {
  readonly #config: ConnectionConfig;
  readonly #origin: string;
  readonly #limit: number;
  #pools: Pools | undefined;
  #opening: Promise<Pools> | undefined;
  #checkedAt = 0;
  #closed = false;
  readonly #retired = new Set<Promise<unknown>>();
  /** Every socket, those that are still connecting too: undici lets go of these only when they got somewhere. */
  readonly #sockets = new Set<Socket>();

  constructor(config: ConnectionConfig, limit: number) {
    this.#config = config;
    this.#origin = new URL(config.server).origin;
    this.#limit = limit;
  }

  /** Sends on one of the pools. Certificates that changed on disk are taken up within a minute. */
  async request(
    kind: 'requests' | 'watches',
    options: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData> {
    const current = this.#pools;
    const isGood =
      current !== undefined && !this.#closed && performance.now() - this.#checkedAt < REREAD_AFTER_MS;
    const pools = isGood ? current : await this.refresh(false);
    return await untilAborted(sendRequest.call(pools[kind], options), options.signal);
  }

  /** Reads the certificates anew and, when they changed, opens new pools; what runs on the old ones finishes there. */
  async refresh(fresh: boolean): Promise<Pools> {
    this.#opening ??= this.#open(fresh).finally(() => {
      this.#opening = undefined;
    });
    return await this.#opening;
  }

  /** Ends everything: requests and watches that run fail at once, no socket stays. */
  async close(): Promise<void> {
    this.#closed = true;
    const pools = this.#pools;
    const ended = pools === undefined ? [] : [pools.requests.destroy(), pools.watches.destroy()];
    for (const socket of this.#sockets) socket.destroy(closedError());
    await Promise.all(ended);
    await Promise.all(this.#retired);
  }

  async #open(fresh: boolean): Promise<Pools> {
    const { ca, cert, key, reloadTls } = this.#config;
    const material = reloadTls === undefined ? { ca, cert, key } : await reloadTls(fresh);
    this.#checkedAt = performance.now();
    const old = this.#pools;
    if (this.#closed) throw closedError();
    if (old !== undefined && sameMaterial(old.material, material)) return old;
    const options = this.#poolOptions(material);
    const pools = {
      material,
      requests: new Pool(this.#origin, { ...options, connections: this.#limit }),
      watches: new Pool(this.#origin, options),
    };
    this.#pools = pools;
    if (old !== undefined) this.#retire(old);
    return pools;
  }

  #poolOptions(material: TlsMaterial): PoolType.Options {
    const { serverName, insecureSkipVerify } = this.#config;
    const connector = buildConnector({
      ...(material.ca === undefined ? {} : { ca: material.ca }),
      ...(material.cert === undefined ? {} : { cert: material.cert }),
      ...(material.key === undefined ? {} : { key: material.key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      rejectUnauthorized: insecureSkipVerify !== true,
      allowH2: false,
      timeout: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      noDelay: true,
    });
    return {
      connect: (target, callback) => this.#track(connector(target, callback)),
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: LONGEST_HEADERS,
    };
  }

  #track(socket: unknown): void {
    if (!(socket instanceof Socket)) return;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** Requests run out; watches, which would go on for minutes under the old identity, are cut and start again. */
  #retire(old: Pools): void {
    const ended = Promise.allSettled([old.requests.close(), old.watches.destroy()]);
    this.#retired.add(ended);
    void ended.then(() => this.#retired.delete(ended));
  }
}

function closedError(): Error {
  return Object.assign(new Error('the client is closed'), { code: 'UND_ERR_CLOSED' });
}

/** undici hears of an abort only once the request has a connection; nobody should wait for one for that. */
function untilAborted<T>(response: Promise<T>, signal: unknown): Promise<T> {
  if (!(signal instanceof AbortSignal)) return response;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    response.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function sameMaterial(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.ca === b.ca && a.cert === b.cert && a.key === b.key;
}
