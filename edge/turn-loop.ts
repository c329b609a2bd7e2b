/** Takes one turn after the other: soon when something changed, and else after a while. */
export class TurnLoop {
  readonly #take: () => Promise<void>;
  readonly #untilNextMs: () => number;
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `take` never rejects; `untilNextMs` is asked after each turn. */
  constructor(take: () => Promise<void>, untilNextMs: () => number) {
    this.#take = take;
    this.#untilNextMs = untilNextMs;
  }

  /** Something changed: takes a turn now, or another one after the one that runs. */
  touch(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#take().finally(() => {
      this.#running = undefined;
      if (this.#again) {
        this.#again = false;
        this.touch();
      } else if (!this.#stopped) {
        this.#timer = setTimeout(() => this.touch(), this.#untilNextMs());
      }
    });
  }

  /** Resolves when the turn that runs is over; there is none after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
