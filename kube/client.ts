import type { Dispatcher } from 'undici';
import { codeOf, errorOfResponse } from './classify-error.ts';
import type { ConnectionConfig } from './config.ts';
import { Connections } from './connections.ts';
import { Deadline } from './deadline.ts';
import { isClass } from './errors.ts';
import { headerOf, parseBody, queryOf, readText } from './http-messages.ts';
import { type ListOptions, listPages } from './list-pages.ts';
import type { KubeObject } from './objects.ts';
import { pathOf, type ResourceType } from './resources.ts';

export interface RequestOptions {
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  /** @default application/json */
  contentType?: string;
  /** For the whole request, from asking for a connection to the last byte. @default 15000 */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

export interface PatchOptions {
  contentType: 'merge' | 'json' | 'apply';
  subresource?: 'status' | undefined;
  fieldManager?: string | undefined;
  force?: boolean | undefined;
}

export interface DeleteOptions {
  /** Only that very object; one of another uid is a Conflict. */
  uid?: string | undefined;
  propagationPolicy?: string | undefined;
  gracePeriodSeconds?: number | undefined;
}

export interface ClientOptions {
  userAgent?: string;
  /** Most connections for requests at once; watches have their own. @default 16 */
  connections?: number;
  /**
   * Called before each write; throws when this process may not write any more (lost leadership). The elector itself needs a
   * client without it, and best one of its own: renewals must not queue behind lists.
   */
  beforeWrite?: () => void;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const DEFAULT_TIMEOUT_MS = 15_000;
const CONTENT_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** Talks raw JSON with one API server. Every error is a `ClassedError`; nothing is retried but what is said below. */
export class KubeClient {
  readonly #config: ConnectionConfig;
  readonly #connections: Connections;
  readonly #basePath: string;
  readonly #userAgent: string;
  readonly #beforeWrite: (() => void) | undefined;

  constructor(config: ConnectionConfig, options: ClientOptions = {}) {
    this.#config = config;
    this.#connections = new Connections(config, options.connections ?? 16);
    this.#basePath = new URL(config.server).pathname.replace(/\/+$/, '');
    this.#userAgent = options.userAgent ?? 'fairlead';
    this.#beforeWrite = options.beforeWrite;
  }

  /**
   * One request, its answer parsed; `undefined` for an empty one. Tried a second time only after 401 (with credentials
   * read anew), and a GET whose kept-alive connection turned out dead.
   */
  async request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    const what = `${method} ${path}`;
    const deadline = new Deadline(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, options.signal);
    try {
      const response = await this.#send('requests', method, path, options, deadline.signal);
      const text = await readText(response.body);
      if (response.statusCode >= 300) {
        throw errorOfResponse(response.statusCode, text, headerOf(response, 'retry-after'), what);
      }
      return parseBody<T>(text, what);
    } catch (error) {
      throw deadline.explain(error, what);
    } finally {
      deadline.clear();
    }
  }

  /**
   * A GET whose body goes on, such as a watch. The time-out covers what comes before the body. Ends, with an error, when
   * `signal` fires.
   */
  async stream(path: string, options: RequestOptions): Promise<AsyncIterable<Buffer>> {
    const what = `GET ${path}`;
    const deadline = new Deadline(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, options.signal);
    try {
      const response = await this.#send('watches', 'GET', path, options, deadline.signal);
      if (response.statusCode >= 300) {
        const text = await readText(response.body);
        throw errorOfResponse(response.statusCode, text, headerOf(response, 'retry-after'), what);
      }
      // An abort before the first read must not become an uncaught 'error' event.
      response.body.on('error', () => {});
      response.body.once('close', () => deadline.clear());
      deadline.stopClock();
      return response.body;
    } catch (error) {
      deadline.clear();
      throw deadline.explain(error, what);
    }
  }

  async get<T extends KubeObject>(
    type: ResourceType<T>,
    namespace: string | undefined,
    name: string,
    options: Pick<RequestOptions, 'signal' | 'timeoutMs'> = {},
  ): Promise<T> {
    return await this.request('GET', pathOf(type, namespace, name), options);
  }

  /** All objects of a kind, page by page, as of one moment (`resourceVersion`). */
  async list<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions = {},
  ): Promise<{ items: T[]; resourceVersion: string }> {
    for (let limit = options.limit; ; limit = 0) {
      const items: T[] = [];
      let resourceVersion = '';
      try {
        for await (const page of listPages(this, type, { ...options, limit })) {
          for (const item of page.items) items.push(item);
          resourceVersion = page.resourceVersion;
        }
        return { items, resourceVersion };
      } catch (error) {
        // The moment that the pages were of is compacted away: once more, in one piece.
        if (!isClass(error, 'Expired') || limit === 0) throw error;
      }
    }
  }

  async create<T extends KubeObject>(type: ResourceType<T>, object: T): Promise<T> {
    return await this.request('POST', pathOf(type, object.metadata.namespace), { body: object });
  }

  async patch<T extends KubeObject>(
    type: ResourceType<T>,
    namespace: string | undefined,
    name: string,
    body: unknown,
    options: PatchOptions,
  ): Promise<T> {
    return await this.request('PATCH', pathOf(type, namespace, name, options.subresource), {
      body,
      contentType: CONTENT_TYPES[options.contentType],
      query: { fieldManager: options.fieldManager, force: options.force },
    });
  }

  /** An object that isn't there counts as deleted. */
  async delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { uid, propagationPolicy, gracePeriodSeconds } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    };
    try {
      await this.request('DELETE', pathOf(type, namespace, name), { body });
    } catch (error) {
      if (!isClass(error, 'NotFound')) throw error;
    }
  }

  /** Cuts what runs, and closes every connection. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #send(
    pool: 'requests' | 'watches',
    method: Method,
    path: string,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    if (method !== 'GET') this.#beforeWrite?.();
    const body = options.body === undefined ? null : JSON.stringify(options.body);
    const attempt = async (fresh: boolean) => {
      const token = await this.#config.token?.(fresh);
      return await this.#connections.request(pool, {
        method,
        path: this.#basePath + path + queryOf(options.query),
        headers: this.#headers(
          token,
          body === null ? undefined : (options.contentType ?? 'application/json'),
        ),
        body,
        signal,
        // The deadline ends requests; undici's own timers (300 s) would end quiet watches.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    };
    const response = await attempt(false).catch(async (error: unknown) => {
      if (method !== 'GET' || signal.aborted || !isDeadConnection(error)) throw error;
      return await attempt(false);
    });
    if (response.statusCode !== 401 || !this.#canRefresh()) return response;
    await response.body.dump();
    await this.#connections.refresh(true);
    return await attempt(true);
  }

  #canRefresh(): boolean {
    return this.#config.token !== undefined || this.#config.reloadTls !== undefined;
  }

  #headers(token: string | undefined, contentType: string | undefined): Record<string, string> {
    return {
      accept: 'application/json',
      'user-agent': this.#userAgent,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    };
  }
}

/** A kept-alive connection that the server closed while our request was on its way. */
function isDeadConnection(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}
