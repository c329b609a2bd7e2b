/** After this a number is proposed again. */
const REMEMBER_MS = 60_000;

/**
 * Node ports that the API server refused to give though no Service that we see has them: given away a moment ago, or lost
 * in its own books when a writer died half-way, which its repair finds minutes later. Remembered for all Services, so that
 * not each of them has to find out by itself.
 */
export class TakenPorts {
  readonly #until = new Map<number, number>();

  add(numbers: readonly number[]): void {
    const until = performance.now() + REMEMBER_MS;
    for (const number of numbers) this.#until.set(number, until);
  }

  /** Those not to propose now. */
  current(): ReadonlySet<number> {
    const now = performance.now();
    for (const [number, until] of this.#until) if (until <= now) this.#until.delete(number);
    return new Set(this.#until.keys());
  }
}
