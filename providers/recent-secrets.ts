type ReadSecret = (name: string, signal: AbortSignal) => Promise<Record<string, string>>;

/** A Secret is read again after this, so that one that was changed counts soon. */
const COUNTS_MS = 30_000;

/** Secrets as they were read last, for a while. What could not be read is read again by the next who asks. */
export class RecentSecrets {
  readonly #readAnew: ReadSecret;
  readonly #now: () => number;
  readonly #known = new Map<string, { readAt: number; data: Promise<Record<string, string>> }>();

  /** `now` in milliseconds, monotonic. */
  constructor(readAnew: ReadSecret, now: () => number = () => performance.now()) {
    this.#readAnew = readAnew;
    this.#now = now;
  }

  read(name: string, signal: AbortSignal): Promise<Record<string, string>> {
    const now = this.#now();
    for (const [each, { readAt }] of this.#known) {
      if (now - readAt >= COUNTS_MS) this.#known.delete(each);
    }
    const known = this.#known.get(name);
    if (known !== undefined) return known.data;
    const data = this.#readAnew(name, signal);
    const entry = { readAt: now, data };
    this.#known.set(name, entry);
    data.catch(() => {
      if (this.#known.get(name) === entry) this.#known.delete(name);
    });
    return data;
  }
}
