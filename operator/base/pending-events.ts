import type { KubeObject } from '../../kube/objects.ts';
import type { StoreChange } from '../../kube/store.ts';

/** What happened to one object, not yet told to its handler. */
export interface PendingEvent {
  type: StoreChange<KubeObject>['type'];
  object: KubeObject;
}

/**
 * What a handler has yet to hear of each object, in order. Only the latest state of an object counts: changes that wait
 * are joined, so that the line of an object never grows beyond three events however long its handler takes.
 */
export class PendingEvents {
  readonly #byKey = new Map<string, PendingEvent[]>();

  push(key: string, event: PendingEvent): void {
    const waiting = this.#byKey.get(key) ?? [];
    this.#byKey.set(key, waiting);
    const last = waiting.at(-1);
    if (event.type === 'Modified' && last !== undefined && last.type !== 'Deleted') {
      waiting[waiting.length - 1] = { type: last.type, object: event.object };
    } else if (event.type === 'Deleted' && last?.type === 'Modified') {
      waiting[waiting.length - 1] = event;
    } else if (event.type === 'Deleted' && last?.type === 'Added' && waiting.length > 1) {
      // Came and went behind another that nobody has heard of yet.
      waiting.pop();
    } else waiting.push(event);
  }

  /** Takes out the next event of an object. */
  take(key: string): PendingEvent | undefined {
    const waiting = this.#byKey.get(key);
    const next = waiting?.shift();
    if (waiting?.length === 0) this.#byKey.delete(key);
    return next;
  }

  /** Puts back an event whose handler failed, as the latest state has it: a deletion takes the place of what came before. */
  putBack(key: string, event: PendingEvent): void {
    const waiting = this.#byKey.get(key) ?? [];
    this.#byKey.set(key, waiting);
    const [next] = waiting;
    if (event.type !== 'Deleted' && next?.type === 'Deleted') return;
    if (event.type !== 'Deleted' && next?.type === 'Modified') {
      waiting[0] = { type: event.type, object: next.object };
    } else waiting.unshift(event);
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  clear(): void {
    this.#byKey.clear();
  }
}
