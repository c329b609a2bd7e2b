/** After the last write that somebody waits for. */
const QUIET_MS = 150;
/** However busy it is, each that waits goes on after this: a trickle, not a standstill. */
const LONGEST_WAIT_MS = 1_000;

/**
 * Holds back what nobody waits for (conditions of LoadBalancers, events, counts) while addresses are given out, so that it
 * takes neither the API server's time nor ours from that path.
 */
export class QuietTime {
  #onPath = 0;
  #lastBusyAt = Number.NEGATIVE_INFINITY;

  /** Does work that somebody waits for: it's busy as long as it runs, and a moment longer. */
  async busyWith<T>(work: () => Promise<T>): Promise<T> {
    this.#onPath++;
    try {
      return await work();
    } finally {
      this.#onPath--;
      this.#lastBusyAt = performance.now();
    }
  }

  /** Resolves once nothing was on the path for a while, or after the longest wait. */
  async wait(): Promise<void> {
    const deadline = performance.now() + LONGEST_WAIT_MS;
    for (;;) {
      const now = performance.now();
      const quietAt = this.#onPath > 0 ? now + QUIET_MS : this.#lastBusyAt + QUIET_MS;
      const until = Math.min(deadline, quietAt);
      if (until <= now) return;
      await new Promise((resolve) => setTimeout(resolve, until - now));
    }
  }
}
