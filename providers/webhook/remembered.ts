import type { Id } from './contract.ts';
import type { WebhookObserved } from './observed.ts';

interface Entry {
  serviceUid: string;
  /** What it was found out for, as text; undefined: for its removal. */
  wanted: string | undefined;
  observed: WebhookObserved;
  /** An answer that isn't the last word counts once: for the turn that asked. */
  isLastWord: boolean;
}

/** What a server said last of each load balancer: while nothing changes, nobody asks it again. */
export class Remembered {
  readonly #entries = new Map<string, Entry>();

  /** What is known of it for what is wanted now; undefined: it has to be asked for. */
  take(id: Id, wanted: string | undefined): WebhookObserved | undefined {
    const entry = this.#entries.get(keyOf(id));
    if (entry === undefined || entry.wanted !== wanted || entry.serviceUid !== id.serviceUid)
      return undefined;
    if (!entry.isLastWord) this.#entries.delete(keyOf(id));
    return entry.observed;
  }

  note(id: Id, wanted: string | undefined, observed: WebhookObserved): void {
    const { state, changes } = observed;
    const isLastWord =
      wanted !== undefined &&
      changes.length === 0 &&
      state.notReady === undefined &&
      state.againAfterSeconds === undefined &&
      state.ingress.length > 0;
    this.#entries.set(keyOf(id), { serviceUid: id.serviceUid, wanted, observed, isLastWord });
  }

  forget(id: Id): void {
    this.#entries.delete(keyOf(id));
  }

  /** Of one LoadBalancerProvider, whose name ends theirs, all that are not among these: they may be gone. */
  forgetOthers(provider: string, ids: readonly Id[]): void {
    const kept = new Set(ids.map(keyOf));
    for (const key of this.#entries.keys()) {
      if (key.endsWith(`.${provider}`) && !kept.has(key)) this.#entries.delete(key);
    }
  }

  get size(): number {
    return this.#entries.size;
  }
}

/** clusterId, namespace and name are the key of a load balancer. */
export function keyOf({ clusterId, namespace, name }: Id): string {
  return `${clusterId}/${namespace}/${name}`;
}
