import type { EventRecorder } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { PlannedEvent } from '../status/build-events.ts';
import type { QuietTime } from './quiet-time.ts';

/** Hands events to the recorder when there is time. */
export class EventTeller {
  readonly #recorder: Pick<EventRecorder, 'emit'>;
  readonly #quiet: QuietTime;
  readonly #stopping = new AbortController();
  #waiting: { regarding: KubeObject; event: PlannedEvent }[] = [];
  #telling = false;

  constructor(recorder: Pick<EventRecorder, 'emit'>, quiet: QuietTime) {
    this.#recorder = recorder;
    this.#quiet = quiet;
  }

  tell(regarding: KubeObject, events: readonly PlannedEvent[]): void {
    for (const event of events) this.#waiting.push({ regarding, event });
    if (events.length > 0 && !this.#telling) void this.#tellAll();
  }

  /** Hands over what waits. */
  stop(): void {
    this.#stopping.abort();
    this.#handOver();
  }

  async #tellAll(): Promise<void> {
    this.#telling = true;
    // The turn that tells is itself still in the queue: look at it from after its end.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#quiet.wait(this.#stopping.signal);
    this.#telling = false;
    this.#handOver();
  }

  #handOver(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { regarding, event } of waiting) {
      this.#recorder.emit(regarding, event.type, event.reason, event.note);
    }
  }
}
