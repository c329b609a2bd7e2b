import { errorOfFailure } from './classify-error.ts';
import { ClassedError } from './errors.ts';

/** One signal out of the caller's and the time-out, cheaper than AbortSignal.any for thousands of short requests. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  readonly #outer: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #onOuterAbort = () => this.#controller.abort();
  #timedOut = false;

  constructor(timeoutMs: number, outer: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs;
    this.#outer = outer;
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.#controller.abort();
    }, timeoutMs);
    if (outer?.aborted) this.#controller.abort();
    else outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The time-out is over, the caller's signal still counts. */
  stopClock(): void {
    clearTimeout(this.#timer);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
  }

  explain(error: unknown, what: string): ClassedError {
    if (this.#timedOut && !(error instanceof ClassedError)) {
      return new ClassedError(`${what}: no answer within ${this.#timeoutMs} ms`, {
        class: 'Transient',
        reason: 'Timeout',
        cause: error,
      });
    }
    return errorOfFailure(error, what);
  }
}
