/** The first look after a write, and the longest time between two of one that doesn't get well. */
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** When the health of what isn't well is asked for again: soon after a write, then less and less often. */
export class LookClock {
  readonly #now: () => number;
  /** By application; absent: nobody has to ask. */
  readonly #next = new Map<string, { at: number; waitMs: number }>();

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** It was written: whatever was known of its targets may be otherwise soon. */
  restart(name: string): void {
    this.#next.set(name, { at: this.#now(), waitMs: FIRST_MS / 2 });
  }

  looked(name: string, isWell: boolean): void {
    if (isWell) {
      this.#next.delete(name);
      return;
    }
    const waitMs = Math.min(LONGEST_MS, (this.#next.get(name)?.waitMs ?? FIRST_MS / 2) * 2);
    this.#next.set(name, { at: this.#now() + waitMs, waitMs });
  }

  forget(name: string): void {
    this.#next.delete(name);
  }

  isDue(name: string): boolean {
    const next = this.#next.get(name);
    return next !== undefined && next.at <= this.#now();
  }

  /** undefined: nobody has to look again. */
  nextAfterSeconds(name: string): number | undefined {
    const next = this.#next.get(name);
    return next === undefined ? undefined : Math.max(1, Math.ceil((next.at - this.#now()) / 1000));
  }
}
