import { type Logger, silentLogger } from './log.ts';
import type { KubeObject } from './objects.ts';
import type { ReflectorSink } from './reflector.ts';
import { keyOf } from './resources.ts';
import { inSlices } from './slice-work.ts';
import { StoreIndex } from './store-index.ts';

export interface StoreChange<T> {
  type: 'Added' | 'Modified' | 'Deleted';
  /** `namespace/name`, or `name`. */
  key: string;
  /** As it is now; of a deleted one the last that was seen. */
  object: T;
  /** As it was; for Modified and Deleted. */
  previous?: T;
}

/**
 * The objects of a kind as last seen, with indexes, and the changes in order. Objects in it are shared: never change one.
 *
 * A listing (`replace`) is taken in whole before the first of its changes is told, so that no handler sees half of it:
 * whoever decides from the store, decides from one moment. Deletions are told first.
 */
export class Store<T extends KubeObject> implements ReflectorSink<T> {
  readonly #log: Logger;
  readonly #indexes = new Map<string, StoreIndex<T>>();
  readonly #handlers = new Set<(change: StoreChange<T>) => void>();
  readonly #listingHandlers = new Set<(resourceVersion: string) => void>();
  #objects = new Map<string, T>();

  constructor(options: { log?: Logger } = {}) {
    this.#log = options.log ?? silentLogger;
  }

  /** Indexes by any number of values an object. `keys` depends on nothing but the object; when it throws there are none. */
  addIndex(name: string, keys: (object: T) => string[]): this {
    const safely = (object: T): string[] => {
      try {
        return keys(object);
      } catch (error) {
        this.#log.error('IndexFailed', { index: name, key: keyOf(object), error });
        return [];
      }
    };
    const index = new StoreIndex<T>(safely);
    for (const [key, object] of this.#objects) index.set(key, undefined, object);
    this.#indexes.set(name, index);
    return this;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Objects that have this value in that index; throws for an index that was never added. */
  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`the store has no index ${JSON.stringify(name)}`);
    return index.get(value);
  }

  /** Calls back for each change from now on; returns what ends that. A handler that throws is logged and called again. */
  onChange(handler: (change: StoreChange<T>) => void): () => void {
    const own = (change: StoreChange<T>) => handler(change);
    this.#handlers.add(own);
    return () => this.#handlers.delete(own);
  }

  /** Calls back before the changes of each listing are told, with its resourceVersion. */
  onListing(handler: (resourceVersion: string) => void): void {
    this.#listingHandlers.add(handler);
  }

  replace(items: T[], resourceVersion = ''): void {
    const next = new Map<string, T>();
    for (const item of items) next.set(keyOf(item), item);
    const deletions: StoreChange<T>[] = [];
    const others: StoreChange<T>[] = [];
    for (const [key, previous] of this.#objects) {
      if (!next.has(key)) deletions.push(this.#drop(key, previous));
    }
    for (const [key, item] of next) {
      for (const change of this.#put(key, item))
        (change.type === 'Deleted' ? deletions : others).push(change);
    }
    for (const handler of this.#listingHandlers) handler(resourceVersion);
    for (const change of deletions) this.#tell(change);
    for (const change of others) this.#tell(change);
  }

  /**
   * The same for a listing so large that everything else would wait for it. What the store shows changes in one moment, as
   * with `replace`; only then the changes are told, a slice at a time. Nothing else may be put in until it resolves.
   */
  async replaceInSlices(items: readonly T[], resourceVersion = ''): Promise<void> {
    const next = new Map<string, T>();
    await inSlices(items, (item) => next.set(keyOf(item), item));
    const deletions: StoreChange<T>[] = [];
    const others: StoreChange<T>[] = [];
    await inSlices(this.#objects, ([key, previous]) => {
      if (!next.has(key)) deletions.push({ type: 'Deleted', key, object: previous, previous });
    });
    await inSlices(next, ([key, item]) => {
      const previous = this.#objects.get(key);
      // What stays the same stays the same object.
      if (previous !== undefined && isSameVersion(previous, item)) next.set(key, previous);
      else
        for (const change of changesOf(key, previous, item)) {
          (change.type === 'Deleted' ? deletions : others).push(change);
        }
    });
    const indexes = [...this.#indexes].map(([name, index]) => [name, index.anew()] as const);
    await inSlices(next, ([key, item]) => {
      for (const [, index] of indexes) index.set(key, undefined, item);
    });
    this.#objects = next;
    for (const [name, index] of indexes) this.#indexes.set(name, index);
    for (const handler of this.#listingHandlers) handler(resourceVersion);
    await inSlices([...deletions, ...others], (change) => this.#tell(change));
  }

  upsert(item: T): void {
    for (const change of this.#put(keyOf(item), item)) this.#tell(change);
  }

  remove(item: T): void {
    const key = keyOf(item);
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    this.#tell({ ...this.#drop(key, previous), object: item });
  }

  #put(key: string, item: T): StoreChange<T>[] {
    const previous = this.#objects.get(key);
    if (previous !== undefined && isSameVersion(previous, item)) return [];
    this.#objects.set(key, item);
    for (const index of this.#indexes.values()) index.set(key, previous, item);
    return changesOf(key, previous, item);
  }

  #drop(key: string, previous: T): StoreChange<T> {
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) index.set(key, previous, undefined);
    return { type: 'Deleted', key, object: previous, previous };
  }

  #tell(change: StoreChange<T>): void {
    for (const handler of this.#handlers) {
      try {
        handler(change);
      } catch (error) {
        this.#log.error('HandlerFailed', { change: change.type, key: change.key, error });
      }
    }
  }
}

function changesOf<T extends KubeObject>(key: string, previous: T | undefined, item: T): StoreChange<T>[] {
  if (previous === undefined) return [{ type: 'Added', key, object: item }];
  if (previous.metadata.uid === item.metadata.uid) return [{ type: 'Modified', key, object: item, previous }];
  // Deleted and made anew under the same name while nobody looked: two objects, two changes.
  return [
    { type: 'Deleted', key, object: previous, previous },
    { type: 'Added', key, object: item },
  ];
}

function isSameVersion(a: KubeObject, b: KubeObject): boolean {
  const version = a.metadata.resourceVersion;
  return version !== undefined && version === b.metadata.resourceVersion && a.metadata.uid === b.metadata.uid;
}
