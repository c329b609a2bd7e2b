import type { KubeObject } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { PlannedEvent } from '../status/build-events.ts';

/** Events are gone after an hour (kube-apiserver's --event-ttl): what still holds is told before that. */
const AGAIN_AFTER_MS = 30 * 60_000;
const LOOK_EVERY_MS = 60_000;

interface Standing {
  regarding: KubeObject;
  event: PlannedEvent;
  toldAt: number;
}

/** Warnings of what still holds, told again every half an hour, though nothing is reconciled meanwhile. */
export class Reminders {
  readonly #tell: (regarding: KubeObject, events: readonly PlannedEvent[]) => void;
  readonly #now: () => number;
  /** By key of the object, then by text. */
  readonly #standing = new Map<string, Map<string, Standing>>();
  #timer: NodeJS.Timeout | undefined;

  /** `now`: milliseconds on a clock that never goes back. */
  constructor(
    tell: (regarding: KubeObject, events: readonly PlannedEvent[]) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#tell = tell;
    this.#now = now;
  }

  start(): void {
    this.#timer = setInterval(() => this.remind(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#standing.clear();
  }

  /** All that holds of an object now, in the place of what held before. What is new here was told just now, or before a restart. */
  hold(regarding: KubeObject, events: readonly PlannedEvent[]): void {
    const key = keyOf(regarding);
    const before = this.#standing.get(key);
    if (events.length === 0) {
      this.#standing.delete(key);
      return;
    }
    const after = new Map<string, Standing>();
    for (const event of events) {
      const text = `${event.reason} ${event.note}`;
      after.set(text, { regarding, event, toldAt: before?.get(text)?.toldAt ?? this.#now() });
    }
    this.#standing.set(key, after);
  }

  forget(key: string): void {
    this.#standing.delete(key);
  }

  /** Tells what was told long ago. */
  remind(): void {
    const now = this.#now();
    for (const each of this.#standing.values()) {
      for (const standing of each.values()) {
        if (now - standing.toldAt < AGAIN_AFTER_MS) continue;
        standing.toldAt = now;
        this.#tell(standing.regarding, [standing.event]);
      }
    }
  }
}
