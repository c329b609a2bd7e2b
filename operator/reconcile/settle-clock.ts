/** How long the nodes have to take up a new address before the old one is let go. */
const SETTLE_MS = 2_000;
/** Our own status write shows them within this turn; then the clock begins. */
const SHOWN_SECONDS = 0.2;

/** Since when the new addresses of load balancers that move are shown. Forgotten by a restart, which only waits anew. */
export class SettleClock {
  readonly #shownAt = new Map<string, number>();

  isOver(key: string): boolean {
    const shownAt = this.#shownAt.get(key);
    return shownAt !== undefined && performance.now() - shownAt >= SETTLE_MS;
  }

  /** Takes note of what is waited for; answers in how many seconds to look again, when nothing else will say. */
  follow(key: string, waiting: 'shown' | 'settled' | undefined): number | undefined {
    if (waiting !== 'settled') {
      this.#shownAt.delete(key);
      return waiting === undefined ? undefined : SHOWN_SECONDS;
    }
    const shownAt = this.#shownAt.get(key) ?? performance.now();
    this.#shownAt.set(key, shownAt);
    return Math.max(0, shownAt + SETTLE_MS - performance.now()) / 1000 + 0.01;
  }
}
