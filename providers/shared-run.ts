/**
 * Work that several wait for and that is done once: who comes while it runs gets its result too. It's cut short when nobody
 * waits any more; when it fails, the next one to come begins it anew.
 */
export class SharedRun<T> {
  readonly #work: (signal: AbortSignal) => Promise<T>;
  #running: { result: Promise<T>; abort: AbortController; waiting: number } | undefined;

  constructor(work: (signal: AbortSignal) => Promise<T>) {
    this.#work = work;
  }

  /** Throws the signal's reason when that fires, and whatever the work throws. */
  async join(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const run = this.#running ?? this.#begin();
    run.waiting++;
    let leave = () => {};
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([run.result, left]);
    } finally {
      signal.removeEventListener('abort', leave);
      run.waiting--;
      if (run.waiting === 0) {
        run.abort.abort();
        if (this.#running === run) this.#running = undefined;
      }
    }
  }

  #begin() {
    const abort = new AbortController();
    const run = { result: this.#work(abort.signal), abort, waiting: 0 };
    this.#running = run;
    const end = () => {
      if (this.#running === run) this.#running = undefined;
    };
    run.result.then(end, end);
    return run;
  }
}
