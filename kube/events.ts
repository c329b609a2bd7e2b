import type { KubeClient } from './client.ts';
import { isClass } from './errors.ts';
import { buildEvent, type EventBody, type EventInput } from './event-body.ts';
import { microTime } from './lease-times.ts';
import type { Logger } from './log.ts';
import type { KubeObject } from './objects.ts';
import { EVENTS, pathOf } from './resources.ts';
import { TokenBucket } from './token-bucket.ts';

export interface EventRecorderOptions {
  client: KubeClient;
  /** `reportingController`, such as `fairlead.dev/operator`. */
  component: string;
  /** `reportingInstance`: the Pod. */
  instance: string;
  log: Logger;
  /** At most one write a series in this time. @default 10000 */
  seriesIntervalMs?: number;
  /** A repeat so long after the last one is an Event of its own. @default 360000 */
  seriesLifeMs?: number;
}

/** One event and its repeats. */
interface Series {
  body: EventBody;
  count: number;
  lastAt: number;
  /** On the server already. */
  created: boolean;
  /** Waits to be written; at most one entry in the queue. */
  queued: boolean;
  writtenAt: number;
  failures: number;
}

/** As client-go: a repeat after this time is a new event. */
const SERIES_LIFE_MS = 6 * 60_000;
const MOST_SERIES = 4_096;
const MOST_QUEUED = 5_000;
/** Of one object: client-go's spam filter has the same burst, one in five minutes after it; we are less strict. */
const BURST = 25;
const PER_SECOND = 1 / 30;
const WRITERS = 2;
const MOST_FAILURES = 5;
const FLUSH_MS = 2_000;
const WRITE_TIMEOUT_MS = 5_000;

/**
 * Writes `events.k8s.io/v1` Events beside the caller's path: `emit` never waits, never throws. What repeats (object,
 * type, reason, note) becomes the series of one Event. What is too much is dropped and counted in the log. Needs
 * the verbs create and patch.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #seriesIntervalMs: number;
  readonly #seriesLifeMs: number;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, TokenBucket>();
  #queue: Series[] = [];
  readonly #timers = new Map<Series, NodeJS.Timeout>();
  #writers = 0;
  readonly #writing = new Set<Promise<void>>();
  #dropped = 0;
  #stopped = false;
  readonly #abort = new AbortController();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#seriesIntervalMs = options.seriesIntervalMs ?? 10_000;
    this.#seriesLifeMs = options.seriesLifeMs ?? SERIES_LIFE_MS;
  }

  emit(
    regarding: KubeObject,
    type: 'Normal' | 'Warning',
    reason: string,
    note: string,
    action = reason,
  ): void {
    if (this.#stopped) return;
    const { component, instance } = this.#options;
    const input = { regarding, type, reason, note, action, component, instance };
    const key = keyOfSeries(input);
    const now = performance.now();
    const known = this.#series.get(key);
    if (known !== undefined && now - known.lastAt < this.#seriesLifeMs) {
      known.count++;
      known.lastAt = now;
      this.#enqueueRepeat(known, now);
      return;
    }
    this.#begin(key, input, now);
  }

  /**
   * For what every instance of the component says alike: the first one's Event stands for all, the others' are turned down
   * by the API server, and repeats aren't counted; what is said again much later is told again, if the Event is gone by then.
   */
  emitShared(regarding: KubeObject, type: 'Normal' | 'Warning', reason: string, note: string): void {
    if (this.#stopped) return;
    const { component } = this.#options;
    const input = { regarding, type, reason, note, action: reason, component, instance: component };
    const key = keyOfSeries(input);
    const now = performance.now();
    const known = this.#series.get(key);
    if (known !== undefined && now - known.lastAt < this.#seriesLifeMs) return;
    this.#begin(key, { ...input, shared: true }, now);
  }

  #begin(key: string, input: Omit<EventInput, 'now'>, now: number): void {
    if (!this.#mayAdd(nameOf(input.regarding))) {
      this.#countDropped();
      return;
    }
    const body = buildEvent({ ...input, now: new Date() });
    const series: Series = {
      body,
      count: 1,
      lastAt: now,
      created: false,
      queued: false,
      writtenAt: now,
      failures: 0,
    };
    this.#remember(key, series);
    this.#enqueue(series);
  }

  /** Writes what waits, for two seconds at most. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const [series, timer] of this.#timers) {
      clearTimeout(timer);
      this.#enqueue(series);
    }
    this.#timers.clear();
    const timer = setTimeout(() => {
      this.#queue = [];
      this.#abort.abort();
    }, FLUSH_MS);
    while (this.#writing.size > 0) await Promise.all(this.#writing);
    clearTimeout(timer);
  }

  /** The first repeat is told soon, later ones together. */
  #enqueueRepeat(series: Series, now: number): void {
    if (series.queued || this.#timers.has(series)) return;
    const waitMs = series.writtenAt + this.#seriesIntervalMs - now;
    if (waitMs <= 0 || series.count === 2) {
      this.#enqueue(series);
      return;
    }
    this.#enqueueAfter(series, waitMs);
  }

  #enqueue(series: Series): void {
    if (this.#queue.length >= MOST_QUEUED) {
      this.#countDropped();
      return;
    }
    series.queued = true;
    this.#queue.push(series);
    if (this.#writers >= WRITERS) return;
    const writing = this.#write();
    this.#writing.add(writing);
    void writing.finally(() => this.#writing.delete(writing));
  }

  async #write(): Promise<void> {
    this.#writers++;
    // A turn later, so that repeats of the same moment go with the first.
    await new Promise((resolve) => setImmediate(resolve));
    for (let series = this.#queue.shift(); series !== undefined; series = this.#queue.shift()) {
      series.queued = false;
      series.writtenAt = performance.now();
      try {
        await this.#writeOne(series);
        series.failures = 0;
      } catch (error) {
        this.#retryOrDrop(series, error);
      }
    }
    this.#writers--;
  }

  #retryOrDrop(series: Series, error: unknown): void {
    const mayPass = isClass(error, 'Transient', 'Throttled') && !this.#stopped;
    if (!mayPass || ++series.failures > MOST_FAILURES) {
      this.#countDropped(error);
      return;
    }
    const waitMs = Math.max(1000 * 2 ** series.failures, (error.retryAfterSeconds ?? 0) * 1000);
    this.#enqueueAfter(series, waitMs);
  }

  #enqueueAfter(series: Series, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(series);
      this.#enqueue(series);
    }, ms);
    this.#timers.set(series, timer);
  }

  async #writeOne(series: Series): Promise<void> {
    const repeats = series.count > 1 ? this.#seriesOf(series) : undefined;
    if (series.created && repeats !== undefined) {
      try {
        await this.#send('PATCH', series, { series: repeats });
        return;
      } catch (error) {
        // Events live for an hour, and anyone may delete them: then it's a new one.
        if (!isClass(error, 'NotFound')) throw error;
      }
    }
    try {
      await this.#send(
        'POST',
        series,
        repeats === undefined ? series.body : { ...series.body, series: repeats },
      );
    } catch (error) {
      // The one before got there, only its answer did not get back.
      if (!isClass(error, 'Conflict')) throw error;
    }
    series.created = true;
  }

  #seriesOf(series: Series): { count: number; lastObservedTime: string } {
    const at = new Date(Date.now() - (performance.now() - series.lastAt));
    return { count: series.count, lastObservedTime: microTime(at) };
  }

  async #send(method: 'POST' | 'PATCH', series: Series, body: unknown): Promise<void> {
    const { namespace, name } = series.body.metadata;
    await this.#options.client.request(
      method,
      pathOf(EVENTS, namespace, method === 'PATCH' ? name : undefined),
      {
        body,
        ...(method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {}),
        timeoutMs: WRITE_TIMEOUT_MS,
        signal: this.#abort.signal,
      },
    );
  }

  #mayAdd(object: string): boolean {
    let bucket = this.#buckets.get(object);
    if (bucket === undefined) {
      if (this.#buckets.size >= MOST_SERIES) evict(this.#buckets, (each) => each.isFull);
      bucket = new TokenBucket(PER_SECOND, BURST);
      this.#buckets.set(object, bucket);
    }
    return bucket.tryTake();
  }

  #remember(key: string, series: Series): void {
    this.#series.delete(key);
    const now = performance.now();
    if (this.#series.size >= MOST_SERIES)
      evict(this.#series, (each) => now - each.lastAt >= this.#seriesLifeMs);
    this.#series.set(key, series);
  }

  /** Says so at the first, the second, the fourth, ...: what floods events must not flood the log. */
  #countDropped(error?: unknown): void {
    this.#dropped++;
    if (Math.log2(this.#dropped) % 1 === 0)
      this.#options.log.warn('EventsDropped', { total: this.#dropped, error });
  }
}

function keyOfSeries({ regarding, type, reason, action, note }: Omit<EventInput, 'now'>): string {
  return JSON.stringify([nameOf(regarding), type, reason, action, note]);
}

function nameOf({ kind, metadata: { uid, namespace = '', name } }: KubeObject): string {
  return uid ?? `${kind}/${namespace}/${name}`;
}

/** Makes room: removes what is `over`, or else the oldest quarter. */
function evict<T>(map: Map<string, T>, over: (value: T) => boolean): void {
  const before = map.size;
  for (const [key, value] of map) if (over(value)) map.delete(key);
  if (map.size < before) return;
  for (const key of [...map.keys()].slice(0, Math.ceil(before / 4))) map.delete(key);
}
