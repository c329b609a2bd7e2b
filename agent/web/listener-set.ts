import type { Server } from 'node:net';
import type { Logger } from '../../kube/log.ts';

/** A place to listen at, for a Service. */
export interface Listen {
  host: string;
  port: number;
  /** `namespace/name`. */
  service: string;
}

export interface ListenerSetOptions {
  /** Makes a server that doesn't listen yet. It may ask `find` who it is for by now. */
  create: (id: string) => Server;
  /** What else to end when a place is closed; the server is closed already. */
  end?: (server: Server) => void;
  /** A place can't be listened at; told again only after it could be, or when the reason is another. */
  onFailure: (listen: Listen, error: Error) => void;
  /** `failures` changed. */
  onChange: () => void;
  log: Logger;
  /** @default 1000 */
  firstRetryMs?: number;
}

const LONGEST_RETRY_MS = 60_000;

/** Listens at the places that are wanted, and at no other. What stays is never closed; what fails is tried again. */
export class ListenerSet {
  readonly #options: ListenerSetOptions;
  readonly #firstRetryMs: number;
  readonly #open = new Map<string, Server>();
  readonly #failures = new Map<string, Error>();
  #wanted: ReadonlyMap<string, Listen> = new Map();
  #running: Promise<void> | undefined;
  #again = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #retryMs: number;

  constructor(options: ListenerSetOptions) {
    this.#options = options;
    this.#firstRetryMs = options.firstRetryMs ?? 1_000;
    this.#retryMs = this.#firstRetryMs;
  }

  /** Sets all places. Returns at once; see `settled`. */
  want(listens: Iterable<Listen>): void {
    this.#wanted = new Map(Array.from(listens, (listen) => [`${listen.host} ${listen.port}`, listen]));
    this.#retryMs = this.#firstRetryMs;
    this.#kick();
  }

  find(id: string): Listen | undefined {
    return this.#wanted.get(id);
  }

  /** Places that can't be listened at, and why. */
  get failures(): [Listen, Error][] {
    return Array.from(this.#wanted).flatMap(([id, listen]) => {
      const error = this.#failures.get(id);
      return error === undefined ? [] : [[listen, error]];
    });
  }

  /** Resolves when all that is wanted has been tried. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async stop(): Promise<void> {
    this.want([]);
    await this.settled();
  }

  #kick(): void {
    clearTimeout(this.#retryTimer);
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.#kick();
    });
  }

  async #run(): Promise<void> {
    const before = this.#describeFailures();
    while (this.#again) {
      this.#again = false;
      this.#closeUnwanted();
      for (const id of this.#wanted.keys()) {
        if (!this.#open.has(id)) await this.#tryToOpen(id);
      }
    }
    if (this.#describeFailures() !== before) this.#options.onChange();
    if (this.failures.length === 0) return;
    this.#retryTimer = setTimeout(() => this.#kick(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  /** First, so that a port can go from one Service to another at once: a server that closes lets its port go there and then. */
  #closeUnwanted(): void {
    for (const [id, server] of this.#open) {
      if (this.#wanted.has(id)) continue;
      this.#open.delete(id);
      server.close();
      this.#options.end?.(server);
    }
    for (const id of this.#failures.keys()) if (!this.#wanted.has(id)) this.#failures.delete(id);
  }

  async #tryToOpen(id: string): Promise<void> {
    const listen = this.#wanted.get(id);
    if (listen === undefined) return;
    try {
      this.#open.set(id, await this.#listen(id, listen));
      this.#failures.delete(id);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      const known = this.#failures.get(id)?.message;
      this.#failures.set(id, failure);
      if (known !== failure.message) this.#options.onFailure(listen, failure);
    }
  }

  async #listen(id: string, { host, port }: Listen): Promise<Server> {
    const server = this.#options.create(id);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: true }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    server.on('error', (error) => this.#options.log.error('ListenerFailed', { host, port, error }));
    return server;
  }

  #describeFailures(): string {
    return Array.from(this.#failures, ([id, { message }]) => `${id}: ${message}`).join('\n');
  }
}
