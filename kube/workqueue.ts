import { DelayQueue } from './delay-queue.ts';
import { isClass } from './errors.ts';
import type { Logger } from './log.ts';
import { type Groups, ReadyKeys } from './ready-keys.ts';
import { TokenBucket } from './token-bucket.ts';

export type ReconcileResult =
  | { kind: 'done' }
  /** Not now, and no fault: again after this time. */
  | { kind: 'retryAfter'; seconds: number; reason: string }
  /** Again with growing delays; `terminal`: not before something changes, or that time is over. */
  | { kind: 'failed'; error: unknown; terminal: boolean; againAfterMs?: number | undefined };

/** Told what happens, for metrics. */
export interface WorkQueueObserver {
  added?(key: string): void;
  /** Seconds between being added and being started. */
  started?(key: string, waitedSeconds: number): void;
  finished?(key: string, tookSeconds: number, result: ReconcileResult): void;
}

export interface WorkQueueOptions {
  name: string;
  /** Keys processed at once. */
  concurrency: number;
  /** Keys that share a limit of their own beside `concurrency`, so that one group can't hold up the others. */
  groups?: Groups | undefined;
  /** `signal` fires when stopping takes longer than `drainMs`. */
  process: (key: string, signal: AbortSignal) => Promise<ReconcileResult>;
  log: Logger;
  /** Delay after the first failure of a key; doubles with each. @default 5 */
  baseDelayMs?: number | undefined;
  /** @default 300000 */
  maxDelayMs?: number | undefined;
  /** Retries after failures over all keys, a second, on the average. @default 50 */
  retriesPerSecond?: number | undefined;
  /** @default 500 */
  retryBurst?: number | undefined;
  /** How long `stop()` lets running work go on before it aborts it. @default 10000 */
  drainMs?: number | undefined;
  observer?: WorkQueueObserver | undefined;
}

/** Keys that finish at once must not keep timers and sockets waiting: after this the event loop gets its turn. */
const TIME_SLICE_MS = 5;

/**
 * Keys waiting to be processed, as client-go's rate-limited workqueue: a key waits at most once, is processed by one at a
 * time, and when added while it is processed, once more afterwards.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #log: Logger;
  /** Never one that is being processed. */
  readonly #ready: ReadyKeys;
  readonly #processing = new Set<string>();
  /** Added while being processed, with the time. */
  readonly #again = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new DelayQueue((key) => this.add(key));
  readonly #retryBucket: TokenBucket;
  readonly #abort = new AbortController();
  #idleWaiters: (() => void)[] = [];
  #started = false;
  #stopped = false;
  #pumping = false;
  /** Until when keys are started in this turn of the event loop; 0: none was yet. */
  #sliceEnd = 0;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#log = options.log.child({ queue: options.name });
    this.#ready = new ReadyKeys(options.groups);
    this.#retryBucket = new TokenBucket(options.retriesPerSecond ?? 50, options.retryBurst ?? 500);
  }

  /** Keys that wait or are processed; delayed ones do not count. */
  get depth(): number {
    return this.#ready.size + this.#processing.size + this.#again.size;
  }

  add(key: string): void {
    if (this.#stopped) return;
    if (this.#processing.has(key)) {
      if (this.#again.has(key)) return;
      this.#again.set(key, performance.now());
    } else {
      if (this.#ready.has(key)) return;
      this.#ready.add(key, performance.now());
    }
    this.#observe((observer) => observer.added?.(key));
    this.#schedulePump();
  }

  /** Adds the key after this time; of several for one key the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    if (ms <= 0) this.add(key);
    else this.#delayed.add(key, ms);
  }

  /** Begins to process; what was added before has been waiting. */
  start(): void {
    if (this.#stopped) throw new Error('a stopped queue does not start again');
    this.#started = true;
    this.#schedulePump();
  }

  /** Starts nothing more, and resolves when what runs has finished; that is aborted after `drainMs`. Waiting keys are dropped. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#delayed.clear();
    this.#ready.clear();
    this.#again.clear();
    const timer = setTimeout(() => this.#abort.abort(), this.#options.drainMs ?? 10_000);
    await this.idle();
    clearTimeout(timer);
  }

  /** Resolves when nothing waits or is processed; a retry or `addAfter` that lies ahead does not count. */
  idle(): Promise<void> {
    if (this.depth === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  #schedulePump(): void {
    if (this.#pumping || !this.#started || !this.#ready.mayHaveNext || this.#isBusy) return;
    if (this.#sliceEnd === 0) {
      this.#sliceEnd = performance.now() + TIME_SLICE_MS;
      setImmediate(() => {
        this.#sliceEnd = 0;
        this.#schedulePump();
      });
    }
    this.#pumping = true;
    queueMicrotask(() => this.#pump());
  }

  #pump(): void {
    this.#pumping = false;
    // What is left begins with the next turn of the event loop.
    while (!this.#isBusy && performance.now() <= this.#sliceEnd) {
      const next = this.#ready.take();
      if (next === undefined) return;
      this.#processing.add(next.key);
      void this.#process(next.key, next.addedAt);
    }
  }

  get #isBusy(): boolean {
    return this.#processing.size >= this.#options.concurrency;
  }

  async #process(key: string, addedAt: number): Promise<void> {
    const startedAt = performance.now();
    this.#observe((observer) => observer.started?.(key, (startedAt - addedAt) / 1000));
    const result = await this.#call(key);
    this.#observe((observer) => observer.finished?.(key, (performance.now() - startedAt) / 1000, result));
    this.#processing.delete(key);
    this.#ready.finish(key);
    const againSince = this.#again.get(key);
    if (againSince !== undefined) {
      this.#again.delete(key);
      this.#ready.add(key, againSince);
    }
    if (!this.#stopped) this.#follow(key, result);
    if (this.depth === 0) this.#tellIdle();
    this.#schedulePump();
  }

  async #call(key: string): Promise<ReconcileResult> {
    try {
      return await this.#options.process(key, this.#abort.signal);
    } catch (error) {
      return { kind: 'failed', error, terminal: false };
    }
  }

  #observe(tell: (observer: WorkQueueObserver) => void): void {
    try {
      if (this.#options.observer !== undefined) tell(this.#options.observer);
    } catch (error) {
      this.#log.error('HandlerFailed', { error });
    }
  }

  #follow(key: string, result: ReconcileResult): void {
    switch (result.kind) {
      case 'done':
        this.#failures.delete(key);
        return;
      case 'retryAfter':
        this.#failures.delete(key);
        this.#log.debug('RetryLater', { key, seconds: result.seconds, reason: result.reason });
        this.addAfter(key, result.seconds * 1000);
        return;
      case 'failed':
        if (result.terminal) {
          this.#failures.delete(key);
          this.#log.warn('WorkRejected', { key, error: result.error });
          if (result.againAfterMs !== undefined) this.addAfter(key, result.againAfterMs);
          return;
        }
        this.#retry(key, result.error);
    }
  }

  #retry(key: string, error: unknown): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const { baseDelayMs = 5, maxDelayMs = 300_000 } = this.#options;
    const backoffMs = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(failures, 40));
    const askedMs = isClass(error) ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const delayMs = Math.max(backoffMs, askedMs, this.#retryBucket.take() * 1000);
    // Losing a race is how optimistic writing works; it's worth a line only when it goes on.
    const level = isClass(error, 'Conflict') && failures < 5 ? 'debug' : 'warn';
    this.#log[level]('WorkFailed', { key, failures: failures + 1, delayMs: Math.round(delayMs), error });
    this.addAfter(key, delayMs);
  }

  #tellIdle(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
