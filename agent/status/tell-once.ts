import type { ServiceObserver } from '../service-observer.ts';

/** Something that a Service should be told. */
export interface Told {
  /** `namespace/name`. */
  service: string;
  note: string;
}

/** While changes come all the time it is looked so often, so that what is told then has lasted so long. */
const LOOK_MS = 1_000;

/**
 * Tells a Service once what is the matter, and again only after that was over. Once the kernel has everything that is at
 * once. While changes never end, a moment may show half of a change: then it is told what was the matter at the look before,
 * too.
 */
export class TellOnce implements ServiceObserver {
  readonly #matters: () => readonly Told[];
  readonly #tell: (service: string, note: string) => void;
  readonly #now: () => number;
  #told = new Set<string>();
  /** At the last look. */
  #seen = new Set<string>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** `matters`: all that is the matter now. `now` is in ms. */
  constructor(
    matters: () => readonly Told[],
    tell: (service: string, note: string) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#matters = matters;
    this.#tell = tell;
    this.#now = now;
  }

  compiled(): void {}

  takenApplied(): void {
    if (this.#now() - this.#lookedAt < LOOK_MS) return;
    const seen = this.#seen;
    this.#look((key) => seen.has(key));
  }

  applied(): void {
    this.#look(() => true);
  }

  #look(lasts: (key: string) => boolean): void {
    this.#lookedAt = this.#now();
    const told = new Set<string>();
    const seen = new Set<string>();
    for (const { service, note } of this.#matters()) {
      const key = `${service} ${note}`;
      seen.add(key);
      if (!this.#told.has(key)) {
        if (!lasts(key)) continue;
        this.#tell(service, note);
      }
      told.add(key);
    }
    this.#told = told;
    this.#seen = seen;
  }
}
