/** The first look comes this long after something was begun; each one later doubles it. */
const FIRST_SECONDS = 5;

/** When to ask AWS again for something that takes its time there. */
export class Look {
  readonly #now: () => number;
  #pauseSeconds = FIRST_SECONDS;
  #nextAt: number;

  /** `now` in milliseconds, monotonic. Before the first look a pause, `soon`: none. */
  constructor(options: { soon: boolean; now?: () => number }) {
    this.#now = options.now ?? (() => performance.now());
    this.#nextAt = this.#now() + (options.soon ? 0 : FIRST_SECONDS * 1000);
  }

  get isDue(): boolean {
    return this.#now() >= this.#nextAt;
  }

  get seconds(): number {
    return Math.max(0, (this.#nextAt - this.#now()) / 1000);
  }

  /** It was asked: next time later, at most this much. */
  asked(mostSeconds: number): void {
    this.#nextAt = this.#now() + this.#pauseSeconds * 1000;
    this.#pauseSeconds = Math.min(mostSeconds, this.#pauseSeconds * 2);
  }

  /** Not later than this. */
  comeWithin(seconds: number): void {
    this.#nextAt = Math.min(this.#nextAt, this.#now() + seconds * 1000);
  }

  /** Something began anew. */
  restart(): void {
    this.#pauseSeconds = FIRST_SECONDS;
    this.#nextAt = this.#now() + FIRST_SECONDS * 1000;
  }
}
