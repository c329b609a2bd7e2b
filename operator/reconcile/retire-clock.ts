/** Since when load balancers are left and only wait to go. Forgotten by a restart, which waits anew. */
export class RetireClock {
  /** By key of the Service, then by name of the LoadBalancer. */
  readonly #since = new Map<string, Map<string, number>>();
  readonly #now: () => number;

  /** `now`: milliseconds on a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Takes note of all that wait at a Service, each with the seconds that it has; those not named begin anew when they are
   * named again. Answers in how many seconds each may go; 0: now.
   */
  follow(serviceKey: string, waiting: ReadonlyMap<string, number>): Map<string, number> {
    const before = this.#since.get(serviceKey);
    const now = this.#now();
    const since = new Map([...waiting.keys()].map((name) => [name, before?.get(name) ?? now]));
    if (since.size === 0) this.#since.delete(serviceKey);
    else this.#since.set(serviceKey, since);
    const leftOf = (name: string, seconds: number) => {
      const over = (now - (since.get(name) ?? now)) / 1000;
      return Math.max(0, seconds - over);
    };
    return new Map([...waiting].map(([name, seconds]) => [name, leftOf(name, seconds)]));
  }

  forget(serviceKey: string): void {
    this.#since.delete(serviceKey);
  }
}
