import { isClass } from '../../kube/errors.ts';
import type { Logger } from '../../kube/log.ts';

const AGAIN_AFTER_MS = 60_000;

/**
 * What fails again and again, several times a second: told when it begins or fails for another reason, then once a minute
 * with the number of failures, and once more when it's over.
 */
export class RepeatedWarning {
  readonly #log: Logger;
  readonly #event: string;
  readonly #eventOver: string;
  readonly #now: () => number;
  /** By reason, when it was told. */
  readonly #toldAt = new Map<string, number>();
  #failures = 0;

  /** `eventOver`: told when it passes after a failure. `now`: milliseconds on a clock that never goes back. */
  constructor(
    log: Logger,
    events: { event: string; eventOver: string },
    now: () => number = () => performance.now(),
  ) {
    this.#log = log;
    this.#event = events.event;
    this.#eventOver = events.eventOver;
    this.#now = now;
  }

  failed(error: unknown): void {
    this.#failures++;
    const reason = reasonOf(error);
    const now = this.#now();
    const toldAt = this.#toldAt.get(reason);
    if (toldAt !== undefined && now - toldAt < AGAIN_AFTER_MS) return;
    this.#toldAt.set(reason, now);
    this.#log.warn(this.#event, { failures: this.#failures, error });
  }

  passed(): void {
    if (this.#failures === 0) return;
    this.#log.info(this.#eventOver, { failures: this.#failures });
    this.#failures = 0;
    this.#toldAt.clear();
  }
}

/** One word where there is one: messages may have numbers that differ each time. */
function reasonOf(error: unknown): string {
  return isClass(error) ? error.reason : error instanceof Error ? error.name : String(error);
}
