import type { EventRecorder } from '../../kube/events.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { PlannedEvent } from '../status/build-events.ts';
import type { QuietTime } from './quiet-time.ts';

/** Between two events. */
const PAUSE_MS = 5;

interface Waiting {
  regarding: KubeObject;
  event: PlannedEvent;
}

/** Hands events to the recorder when there is time. */
export class EventTeller {
  readonly #recorder: Pick<EventRecorder, 'emit'>;
  readonly #quiet: QuietTime;
  readonly #waiting: Waiting[] = [];
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
    for (const next of this.#waiting.splice(0)) this.#emit(next);
  }

  async #tellAll(): Promise<void> {
    this.#telling = true;
    for (;;) {
      await this.#quiet.wait();
      const [next] = this.#waiting.splice(0, 1);
      if (next === undefined) break;
      this.#emit(next);
      // The recorder writes beside us: not faster than it may take the API server's time.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    this.#telling = false;
  }

  #emit({ regarding, event }: Waiting): void {
    this.#recorder.emit(regarding, event.type, event.reason, event.note);
  }
}
