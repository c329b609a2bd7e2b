import type { LoadBalancerId } from '../../provider.ts';
import type { JsonObject } from '../json.ts';

/** An application that is to be declared, or to go. */
export interface ApplicationWrite {
  owner: LoadBalancerId;
  application: string;
  /** undefined: it is to go. */
  declaration: JsonObject | undefined;
}

/** One that waits for the device, and what came of it: somebody else's declaration may have it in it. */
export class WaitingWrite {
  readonly write: ApplicationWrite;
  #outcome: 'waits' | 'done' | { failure: unknown } = 'waits';

  constructor(write: ApplicationWrite) {
    this.write = write;
  }

  get waits(): boolean {
    return this.#outcome === 'waits';
  }

  get isDone(): boolean {
    return this.#outcome === 'done';
  }

  done(): void {
    this.#outcome = 'done';
  }

  failed(failure: unknown): void {
    this.#outcome = { failure };
  }

  /** Throws why it failed, if it did. */
  check(): void {
    if (typeof this.#outcome === 'object') throw this.#outcome.failure;
  }
}

/** Writes to one tenant that wait for the device, in the order in which they came. */
export class GatheredWrites {
  readonly #waiting = new Set<WaitingWrite>();

  add(write: ApplicationWrite): WaitingWrite {
    const waiting = new WaitingWrite(write);
    this.#waiting.add(waiting);
    return waiting;
  }

  /** It ended, or nobody waits for it any more. */
  drop(waiting: WaitingWrite): void {
    this.#waiting.delete(waiting);
  }

  /** This one, and all others that wait; one of each application. */
  with(first: WaitingWrite): WaitingWrite[] {
    const chosen = new Map([[first.write.application, first]]);
    for (const each of this.#waiting) {
      const { application } = each.write;
      if (each.waits && !chosen.has(application)) chosen.set(application, each);
    }
    return [...chosen.values()];
  }
}
