/** The first look comes this long after something was begun, unless options say otherwise; each one later doubles it. */
export const FIRST_LOOK_SECONDS = 5;

/** When to ask AWS again for something that takes its time there. */
export class Look {
  readonly #now: () => number;
  /** undefined: as long as the first one. */
  #pauseSeconds: number | undefined;
  #nextAt: number;

  /** `now` in milliseconds, monotonic. Before the first look a pause, `soon`: none. */
  constructor(options: { soon: boolean; firstSeconds?: number; now?: () => number }) {
    const { firstSeconds = FIRST_LOOK_SECONDS, soon } = options;
    this.#now = options.now ?? (() => performance.now());
    this.#nextAt = this.#now() + (soon ? 0 : firstSeconds * 1000);
  }

  get isDue(): boolean {
    return this.#now() >= this.#nextAt;
  }

  get seconds(): number {
    return Math.max(0, (this.#nextAt - this.#now()) / 1000);
  }

  /** It was asked: next time later, at most this much. */
  asked(mostSeconds: number, firstSeconds = FIRST_LOOK_SECONDS): void {
    const pauseSeconds = this.#pauseSeconds ?? firstSeconds;
    this.#nextAt = this.#now() + pauseSeconds * 1000;
    this.#pauseSeconds = Math.min(mostSeconds, pauseSeconds * 2);
  }

  /** Not later than this. */
  comeWithin(seconds: number): void {
    this.#nextAt = Math.min(this.#nextAt, this.#now() + seconds * 1000);
  }

  /** Something began anew. */
  restart(firstSeconds = FIRST_LOOK_SECONDS): void {
    this.#pauseSeconds = undefined;
    this.#nextAt = this.#now() + firstSeconds * 1000;
  }
}
