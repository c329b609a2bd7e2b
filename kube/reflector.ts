import { Backoff, sleep } from './backoff.ts';
import { errorOfFailure } from './classify-error.ts';
import type { KubeClient } from './client.ts';
import { ClassedError, isClass } from './errors.ts';
import { IdleTimer } from './idle-timer.ts';
import { listPages } from './list-pages.ts';
import type { Logger } from './log.ts';
import type { KubeObject } from './objects.ts';
import { isOlder } from './resource-versions.ts';
import { apiVersionOf, keyOf, pathOf, type ResourceType } from './resources.ts';
import { LineSplitter } from './split-lines.ts';
import { stripObject } from './strip-object.ts';
import { parseWatchLine, type WatchEvent } from './watch-events.ts';

/** Where a reflector puts what it sees. `replace` gets the whole truth of one moment. */
export interface ReflectorSink<T> {
  /** A whole listing, and its resourceVersion. Nothing else is told until it has been taken in. */
  replace(items: T[], resourceVersion: string): void | Promise<void>;
  upsert(item: T): void;
  remove(item: T): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  client: KubeClient;
  type: ResourceType<T>;
  /** All namespaces without. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Applied to each object, which it may change in place. @default stripObject */
  transform?: ((object: T) => T) | undefined;
  /** @default 500 */
  pageSize?: number | undefined;
  /** A watch that says nothing for so long is cut. @default 90000 */
  idleTimeoutMs?: number | undefined;
  /** Longest pause between attempts while the server can't be reached. @default 30000 */
  longestDelayMs?: number | undefined;
  log: Logger;
  /** Told of each error that made it list or watch again. */
  onError?: ((error: ClassedError) => void) | undefined;
}

/**
 * The API server sends a bookmark each minute (within some seconds), on quiet kinds too: 90 s of silence is one bookmark
 * missed with half a minute to spare. A dead peer is found sooner, by TCP's keep-alive; this is for what still answers to
 * TCP and yet says nothing. Where there are no bookmarks at all, cutting a quiet watch costs one request.
 */
const IDLE_TIMEOUT_MS = 90_000;
/** Silent watches in a row after which the place to watch from isn't trusted any more. */
const SILENT_WATCHES = 2;
/** A watch that lived so long was a healthy one, even if it said nothing. */
const HEALTHY_MS = 10_000;
/** A watch that worked until its connection was lost is tried again within this, before any backoff. */
const RECONNECT_MS = 100;
const FIRST_DELAY_MS = 800;
const LONGEST_DELAY_MS = 30_000;

/**
 * Lists a kind, then watches it, and goes on until stopped: whatever ends a watch, it takes it up where it was, and when
 * that place is gone (410) lists again. As client-go's reflector: level-based, so the sink ends equal to the server's truth.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #sink: ReflectorSink<T>;
  readonly #log: Logger;
  readonly #transform: (object: T) => T;
  readonly #apiVersion: string;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #hasSynced = false;
  #lastContact = 0;
  /** Where to watch from; undefined: list first. */
  #resourceVersion: string | undefined;
  #silentWatches = 0;
  /** Whether the last watch told something, or lived long enough to be a good one. */
  #watchWorked = false;
  #paged = true;

  constructor(options: ReflectorOptions<T>, sink: ReflectorSink<T>) {
    this.#options = options;
    this.#sink = sink;
    this.#log = options.log.child({ resource: options.type.plural });
    this.#transform = options.transform ?? stripObject;
    this.#apiVersion = apiVersionOf(options.type);
    this.#backoff = new Backoff({
      initialMs: FIRST_DELAY_MS,
      maxMs: options.longestDelayMs ?? LONGEST_DELAY_MS,
    });
  }

  /** Resolves after the first listing is in the sink. Stays pending when stopped before. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** `performance.now()` when the server last said something; 0 before it ever did. */
  get lastContact(): number {
    return this.#lastContact;
  }

  start(): void {
    if (this.#stopping.signal.aborted) throw new Error('a stopped reflector does not start again');
    this.#running ??= this.#run(this.#stopping.signal);
  }

  /** After this resolves the sink is not called any more, and no connection is left. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let delayMs = 0;
      try {
        this.#watchWorked = false;
        this.#resourceVersion ??= await this.#relist(signal);
        await this.#watch(this.#resourceVersion, signal);
        delayMs = this.#watchWorked ? 0 : this.#backoff.next();
      } catch (error) {
        if (signal.aborted) return;
        delayMs = this.#decideDelay(errorOfFailure(error, `watch ${this.#options.type.plural}`));
      }
      await sleep(delayMs, signal);
    }
  }

  /** What an error means for the next round; returns how long to wait for it, in ms. */
  #decideDelay(error: ClassedError): number {
    const wasCut = this.#watchWorked && error.reason === 'ConnectionLost';
    const ownMs = wasCut ? Math.random() * RECONNECT_MS : this.#backoff.next();
    const delayMs = Math.max(ownMs, (error.retryAfterSeconds ?? 0) * 1000);
    if (error.class === 'Expired' || error.reason === 'BadWatchLine') this.#resourceVersion = undefined;
    const fields = { error, delayMs: Math.round(delayMs), relist: this.#resourceVersion === undefined };
    if (error.class === 'Rejected') this.#log.error('WatchRejected', fields);
    else this.#log.info('WatchInterrupted', fields);
    try {
      this.#options.onError?.(error);
    } catch (thrown) {
      this.#log.error('HandlerFailed', { error: thrown });
    }
    return delayMs;
  }

  async #relist(signal: AbortSignal): Promise<string> {
    const { client, type, namespace, labelSelector, fieldSelector, pageSize } = this.#options;
    const startedAt = performance.now();
    const items: T[] = [];
    let resourceVersion = '';
    const limit = this.#paged ? pageSize : 0;
    try {
      for await (const page of listPages(client, type, {
        namespace,
        labelSelector,
        fieldSelector,
        limit,
        signal,
      })) {
        this.#lastContact = performance.now();
        resourceVersion = page.resourceVersion;
        for (const item of page.items) items.push(this.#complete(item));
      }
    } catch (error) {
      // The pages' moment is gone before we were through: the next listing comes in one piece, which can't expire.
      if (isClass(error, 'Expired')) this.#paged = false;
      throw error;
    }
    this.#paged = true;
    await this.#deliverListing(items, resourceVersion);
    this.#log.debug('Listed', { count: items.length, ms: Math.round(performance.now() - startedAt) });
    this.#hasSynced = true;
    this.#synced.resolve();
    return resourceVersion;
  }

  /** Items of a list don't say their kind; the same object from a watch does. */
  #complete(item: T): T {
    return this.#transformed({ kind: this.#options.type.kind, apiVersion: this.#apiVersion, ...item });
  }

  /** Watches until the stream ends. */
  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { client, type, namespace, labelSelector, fieldSelector } = this.#options;
    const what = `watch ${type.plural}`;
    const watching = new AbortController();
    const cut = () => watching.abort();
    signal.addEventListener('abort', cut, { once: true });
    const idle = new IdleTimer(this.#options.idleTimeoutMs ?? IDLE_TIMEOUT_MS, cut);
    let openedAt = Number.POSITIVE_INFINITY;
    try {
      const stream = await client.stream(pathOf(type, namespace), {
        query: {
          watch: 1,
          resourceVersion: from,
          allowWatchBookmarks: true,
          timeoutSeconds: 300 + Math.floor(Math.random() * 300),
          labelSelector,
          fieldSelector,
        },
        signal: watching.signal,
      });
      openedAt = performance.now();
      this.#lastContact = openedAt;
      idle.touch();
      const lines = new LineSplitter();
      for await (const chunk of stream) {
        this.#lastContact = performance.now();
        idle.touch();
        for (const line of lines.push(chunk)) {
          if (signal.aborted) return;
          this.#take(parseWatchLine<T>(line, what));
        }
      }
    } catch (error) {
      if (!idle.expired) throw error;
      this.#countSilence();
      throw new ClassedError(`${what}: nothing heard for ${idle.timeoutMs} ms`, {
        class: 'Transient',
        reason: 'WatchSilent',
        cause: error,
      });
    } finally {
      idle.clear();
      signal.removeEventListener('abort', cut);
      watching.abort();
      if (performance.now() - openedAt >= HEALTHY_MS) this.#watchWorked = true;
    }
  }

  /**
   * A watch can be silent because the connection is; or because we watch from a place that the server has not reached
   * (etcd restored from a backup), and then it would be silent for ever. The second one in a row leads to a new listing.
   */
  #countSilence(): void {
    this.#silentWatches++;
    if (this.#silentWatches < SILENT_WATCHES) return;
    this.#silentWatches = 0;
    this.#resourceVersion = undefined;
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') throw event.error;
    this.#checkForward(event.resourceVersion);
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#deliver(() => this.#sink.upsert(this.#transformed(event.object)));
        break;
      case 'DELETED':
        this.#deliver(() => this.#sink.remove(this.#transformed(event.object)));
        break;
      case 'BOOKMARK':
        break;
    }
    this.#resourceVersion = event.resourceVersion;
    this.#silentWatches = 0;
    this.#watchWorked = true;
    this.#backoff.reset();
  }

  /** Versions that go back mean that the server's past was exchanged (etcd restored from a backup). */
  #checkForward(resourceVersion: string): void {
    if (this.#resourceVersion === undefined || !isOlder(resourceVersion, this.#resourceVersion)) return;
    throw new ClassedError(
      `watch ${this.#options.type.plural}: resourceVersion went back to ${resourceVersion}`,
      {
        class: 'Expired',
        reason: 'ResourceVersionWentBack',
      },
    );
  }

  /** An object that the transform fails on is kept as it is: better more fields than an object less. */
  #transformed(object: T): T {
    try {
      return this.#transform(object);
    } catch (error) {
      this.#log.error('TransformFailed', { key: keyOf(object), error });
      return object;
    }
  }

  async #deliverListing(items: T[], resourceVersion: string): Promise<void> {
    try {
      await this.#sink.replace(items, resourceVersion);
    } catch (error) {
      this.#log.error('HandlerFailed', { error });
    }
  }

  #deliver(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log.error('HandlerFailed', { error });
    }
  }
}
