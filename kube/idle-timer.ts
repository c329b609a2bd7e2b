/** Calls back once when not touched for a time; touching is an assignment and not a new timer. */
export class IdleTimer {
  readonly timeoutMs: number;
  readonly #onExpired: () => void;
  #touchedAt = performance.now();
  #timer: NodeJS.Timeout;
  #expired = false;

  constructor(timeoutMs: number, onExpired: () => void) {
    this.timeoutMs = timeoutMs;
    this.#onExpired = onExpired;
    this.#timer = setTimeout(() => this.#check(), timeoutMs);
  }

  get expired(): boolean {
    return this.#expired;
  }

  touch(): void {
    this.#touchedAt = performance.now();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  #check(): void {
    const restMs = this.timeoutMs - (performance.now() - this.#touchedAt);
    if (restMs > 0) {
      this.#timer = setTimeout(() => this.#check(), restMs);
      return;
    }
    this.#expired = true;
    this.#onExpired();
  }
}
