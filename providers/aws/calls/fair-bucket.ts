import { TokenBucket } from '../../../kube/token-bucket.ts';
import type { BucketFigures } from './call-limits.ts';

export interface TakeOptions {
  /** Whose call it is: a namespace. */
  turn: string;
  /** Waits until nobody else wants something: sweeps. */
  inBackground: boolean;
  signal: AbortSignal;
}

interface Waiter {
  go(): void;
}

/** Of the burst, what is kept for namespaces that took little of late. */
const RESERVED_SHARE = 0.4;
/** How fast a namespace may take of the reserve again, as a share of the rate. */
const RESERVE_RATE_SHARE = 0.1;
/** Sweeps take at most this share of the rate. */
const BACKGROUND_SHARE = 0.5;
const SLOWEST = 1 / 8;
/** Each call that isn't throttled gives back this much of the rate. */
const GROWTH = 0.25;

/**
 * A token bucket whose waiters take turns by namespace, so that one call beside 900 of another namespace waits for one
 * of them. Who took little of late may have the last tokens of the burst, so that it doesn't wait at all. After AWS throttled,
 * the rate is halved, and grows back with each call that isn't.
 */
export class FairBucket {
  readonly #figures: BucketFigures;
  readonly #now: () => number;
  readonly #reserved: number;
  /** By namespace, in the order of their turns. */
  readonly #waiting = new Map<string, Set<Waiter>>();
  readonly #background = new Set<Waiter>();
  readonly #allowances = new Map<string, TokenBucket>();
  #tokens: number;
  #filledAt: number;
  #rate = 1;
  #slowedAt = Number.NEGATIVE_INFINITY;
  #backgroundAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** `now` in milliseconds, monotonic. */
  constructor(figures: BucketFigures, now: () => number = () => performance.now()) {
    this.#figures = figures;
    this.#now = now;
    this.#reserved = Math.floor(figures.burst * RESERVED_SHARE);
    this.#tokens = figures.burst;
    this.#filledAt = now();
  }

  /** Calls that wait. */
  get depth(): number {
    let depth = this.#background.size;
    for (const waiters of this.#waiting.values()) depth += waiters.size;
    return depth;
  }

  /** Of the full rate, what is used at present. */
  get rate(): number {
    return this.#rate;
  }

  /** Resolves when it's the caller's turn and there is a token; throws the signal's reason when that fires first. */
  async take({ turn, inBackground, signal }: TakeOptions): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        go: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      const abort = () => {
        this.#leave(turn, waiter);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
      if (inBackground) this.#background.add(waiter);
      else this.#queueOf(turn).add(waiter);
      this.#pump();
    });
  }

  /** AWS said that it's too much: somebody else of the account takes from the same bucket. */
  throttled(): void {
    const now = this.#now();
    // Calls that were under way together are refused together: that counts once.
    if (now - this.#slowedAt < 1000) return;
    this.#slowedAt = now;
    this.#fill();
    this.#rate = Math.max(SLOWEST, this.#rate / 2);
    // What was saved up isn't there, but for what others may come for: below that, only allowances go out.
    this.#tokens = Math.min(this.#tokens, this.#reserved);
  }

  succeeded(): void {
    if (this.#rate === 1) return;
    this.#fill();
    this.#rate = Math.min(1, this.#rate + GROWTH);
    this.#pump();
  }

  #queueOf(turn: string): Set<Waiter> {
    const known = this.#waiting.get(turn);
    if (known !== undefined) return known;
    const made = new Set<Waiter>();
    this.#waiting.set(turn, made);
    return made;
  }

  #leave(turn: string, waiter: Waiter): void {
    this.#background.delete(waiter);
    const queue = this.#waiting.get(turn);
    queue?.delete(waiter);
    if (queue?.size === 0) this.#waiting.delete(turn);
    this.#arm();
  }

  #fill(): void {
    const now = this.#now();
    const { burst, perSecond } = this.#figures;
    const filled = ((now - this.#filledAt) / 1000) * perSecond * this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + filled);
    this.#filledAt = now;
  }

  #pump(): void {
    this.#fill();
    while (this.#next()) this.#tokens -= 1;
    this.#arm();
  }

  /** Lets the next one go that may; false: nobody may at present. */
  #next(): boolean {
    if (this.#tokens < 1) return false;
    const beyondReserve = this.#tokens >= this.#reserved + 1;
    for (const [turn, queue] of this.#waiting) {
      if (!beyondReserve && !this.#allowanceOf(turn).tryTake()) continue;
      const [first] = queue;
      if (first === undefined) continue;
      queue.delete(first);
      // Its next call comes after one of everybody else.
      this.#waiting.delete(turn);
      if (queue.size > 0) this.#waiting.set(turn, queue);
      // What it takes while there is plenty counts as well, or the busiest one would have its allowance whole.
      if (beyondReserve) this.#allowanceOf(turn).tryTake();
      first.go();
      return true;
    }
    return this.#waiting.size === 0 && beyondReserve && this.#nextInBackground();
  }

  #nextInBackground(): boolean {
    const [first] = this.#background;
    if (first === undefined || this.#now() < this.#backgroundAt + this.#backgroundPauseMs) return false;
    this.#background.delete(first);
    this.#backgroundAt = this.#now();
    first.go();
    return true;
  }

  get #backgroundPauseMs(): number {
    return 1000 / (this.#figures.perSecond * BACKGROUND_SHARE);
  }

  #allowanceOf(turn: string): TokenBucket {
    const known = this.#allowances.get(turn);
    if (known !== undefined) return known;
    for (const [name, allowance] of this.#allowances) if (allowance.isFull) this.#allowances.delete(name);
    const perSecond = this.#figures.perSecond * RESERVE_RATE_SHARE;
    const made = new TokenBucket(perSecond, Math.max(1, this.#reserved), this.#now);
    this.#allowances.set(turn, made);
    return made;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.depth === 0) return;
    const missing = this.#tokens < 1 ? 1 - this.#tokens : Math.max(0, this.#reserved + 1 - this.#tokens);
    const forToken = (missing / (this.#figures.perSecond * this.#rate)) * 1000;
    const forBackground =
      this.#waiting.size > 0 ? 0 : this.#backgroundAt + this.#backgroundPauseMs - this.#now();
    this.#timer = setTimeout(() => this.#pump(), Math.max(1, Math.ceil(Math.max(forToken, forBackground))));
  }
}
