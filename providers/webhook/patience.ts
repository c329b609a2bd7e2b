import { ClassedError, withRetryAfter } from '../../kube/errors.ts';
import type { Id } from './contract.ts';
import { keyOf } from './remembered.ts';

interface Pause {
  wanted: string;
  until: number;
  error: ClassedError;
}

/**
 * How long a server asked to be left alone with a load balancer. Turns have other causes than time: a node that changes, a status
 * that was written. What is wanted otherwise is another question, and asked at once.
 */
export class Patience {
  readonly #pauses = new Map<string, Pause>();
  readonly #now: () => number;

  /** `now`: milliseconds on a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Throws what the server said last, while it is too early to ask again. */
  check(id: Id, wanted: string): void {
    const key = keyOf(id);
    const pause = this.#pauses.get(key);
    if (pause === undefined) return;
    const leftMs = pause.until - this.#now();
    if (leftMs <= 0 || pause.wanted !== wanted) {
      this.#pauses.delete(key);
      return;
    }
    throw withRetryAfter(pause.error, leftMs / 1000);
  }

  /** Takes note of an error of the server, of one that says when to ask again. */
  note(id: Id, wanted: string, error: unknown): void {
    if (!(error instanceof ClassedError) || error.retryAfterSeconds === undefined) return;
    // Of others it is our own guess: people mend credentials and answers, and nobody tells when.
    if (error.class !== 'Throttled' && (error.code === undefined || error.code < 500)) return;
    this.#pauses.set(keyOf(id), { wanted, until: this.#now() + error.retryAfterSeconds * 1000, error });
  }

  forget(id: Id): void {
    this.#pauses.delete(keyOf(id));
  }
}
