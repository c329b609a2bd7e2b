export interface BackoffOptions {
  initialMs: number;
  maxMs: number;
  /** In [0, 1); for tests. */
  random?: () => number;
}

/** Doubling delays with jitter: each is between the half and the whole of its step, so that many peers spread out. */
export class Backoff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#initialMs = options.initialMs;
    this.#maxMs = options.maxMs;
    this.#random = options.random ?? Math.random;
  }

  next(): number {
    const step = Math.min(this.#maxMs, this.#initialMs * 2 ** this.#failures);
    if (step < this.#maxMs) this.#failures++;
    return step * (0.5 + this.#random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}

/** Resolves after `ms`, or at once when the signal fires; never rejects. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
