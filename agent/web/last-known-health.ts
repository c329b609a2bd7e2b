import type { HealthFacts } from './health-pages.ts';

/** Nothing is known yet. */
const AT_FIRST: HealthFacts = { programmed: false, waitingMs: undefined, eligible: false, lastUpdated: null };

export interface LastKnownHealthOptions {
  /** Asks for facts, which come by `tell`, soon or late. */
  ask: () => void;
  /** So long an answer waits for new facts; then it is given by the last ones. @default 10 */
  patienceMs?: number;
  /** Milliseconds on a clock that never goes back. */
  now?: () => number;
}

const PATIENCE_MS = 10;

/**
 * The agent's health as far as its working thread has told. That one may be busy for a tenth of a second with a long list
 * or with collecting its garbage, which is no illness; one that stays silent is ill as if a change waited since.
 */
export class LastKnownHealth {
  readonly #options: LastKnownHealthOptions;
  readonly #now: () => number;
  #last: { facts: HealthFacts; at: number };
  /** When the first of the questions went out that have no answer yet. */
  #askedAt: number | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: LastKnownHealthOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#last = { facts: AT_FIRST, at: this.#now() };
  }

  tell(facts: HealthFacts): void {
    this.#last = { facts, at: this.#now() };
    this.#askedAt = undefined;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Never rejects, and never waits longer than it is patient. */
  async facts(): Promise<HealthFacts> {
    const toldOrLate = this.#toldOrLate();
    if (this.#askedAt === undefined) {
      this.#askedAt = this.#now();
      this.#options.ask();
    }
    await toldOrLate;
    const { facts } = this.#last;
    if (this.#askedAt === undefined) return facts;
    const silentMs = this.#now() - this.#askedAt;
    return { ...facts, waitingMs: (facts.waitingMs ?? 0) + silentMs };
  }

  async #toldOrLate(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.patienceMs ?? PATIENCE_MS);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
