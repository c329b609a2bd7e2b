/** One at a time for each key, in the order they came. */
export class KeyedLock {
  readonly #last = new Map<string, Promise<void>>();

  /** Throws the signal's reason when that fires before it's the caller's turn. */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    let free = () => {};
    const mine = new Promise<void>((resolve) => {
      free = resolve;
    });
    const both = (before ?? Promise.resolve()).then(() => mine);
    this.#last.set(key, both);
    try {
      if (before !== undefined) await untilAborted(before, signal);
      signal.throwIfAborted();
      return await work();
    } finally {
      free();
      if (this.#last.get(key) === both) this.#last.delete(key);
    }
  }
}

async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  let leave = () => {};
  const left = new Promise<void>((resolve) => {
    leave = resolve;
    signal.addEventListener('abort', leave, { once: true });
  });
  await Promise.race([wait, left]);
  signal.removeEventListener('abort', leave);
}
