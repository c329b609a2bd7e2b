import type { KubeObject } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { Store } from '../../kube/store.ts';

/** Uids of deleted objects to remember, so that the late answer of a write brings none of them back. */
const MOST_DELETED = 10_000;

/**
 * A store as seen through our own writes: what the API server answered to a write counts from that moment on, until the
 * watch has caught up with it. So a second look never decides from a state before our own last write.
 *
 * Versions are compared as numbers, which Kubernetes guarantees for one kind since KEP-5504.
 */
export class FreshView<T extends KubeObject> {
  readonly #store: Store<T>;
  readonly #index: string | undefined;
  readonly #groupOf: (object: T) => string | undefined;
  readonly #written = new Map<string, T>();
  readonly #writtenByGroup = new Map<string, Set<string>>();
  readonly #deleted = new Set<string>();
  #echo: T | undefined;

  /** `index`: the store's index that `groupOf` has the value of. Make it before other handlers of the store. */
  constructor(store: Store<T>, group?: { index: string; of: (object: T) => string | undefined }) {
    this.#store = store;
    this.#index = group?.index;
    this.#groupOf = group?.of ?? (() => undefined);
    store.onListing((resourceVersion) => this.#dropVanished(Number(resourceVersion)));
    store.onChange(({ type, key, object }) => {
      this.#echo = undefined;
      if (type === 'Deleted' && object.metadata.uid !== undefined) this.#rememberDeleted(object.metadata.uid);
      const written = this.#written.get(key);
      if (written === undefined) return;
      const over = type === 'Deleted' ? isSame(written, object) : versionOf(object) >= versionOf(written);
      if (!over) return;
      if (type !== 'Deleted' && versionOf(object) === versionOf(written)) this.#echo = object;
      this.#forget(key, written);
    });
  }

  get(key: string): T | undefined {
    return this.#written.get(key) ?? this.#store.get(key);
  }

  list(): T[] {
    if (this.#written.size === 0) return this.#store.list();
    const objects = new Map(this.#store.list().map((object) => [keyOf(object), object]));
    for (const [key, object] of this.#written) objects.set(key, object);
    return [...objects.values()];
  }

  byGroup(group: string): T[] {
    const seen = this.#index === undefined ? [] : this.#store.byIndex(this.#index, group);
    const written = this.#writtenByGroup.get(group);
    if (written === undefined) return seen;
    const objects = new Map(seen.map((object) => [keyOf(object), object]));
    for (const key of written) {
      const object = this.#written.get(key);
      if (object !== undefined) objects.set(key, object);
    }
    return [...objects.values()];
  }

  /** Takes in what the API server answered to a write. */
  note(object: T): void {
    const key = keyOf(object);
    const stored = this.#store.get(key);
    if (stored !== undefined && versionOf(stored) >= versionOf(object)) return;
    if (this.#deleted.has(object.metadata.uid ?? '')) return;
    const before = this.#written.get(key);
    if (before !== undefined) {
      if (versionOf(before) >= versionOf(object)) return;
      this.#forget(key, before);
    }
    this.#written.set(key, object);
    const group = this.#groupOf(object);
    if (group === undefined) return;
    const keys = this.#writtenByGroup.get(group);
    if (keys === undefined) this.#writtenByGroup.set(group, new Set([key]));
    else keys.add(key);
  }

  /** Whether the change that is being told is our own write, which was taken in when it was answered. */
  isEcho(object: T): boolean {
    return object === this.#echo;
  }

  /** Whether an object of the store was deleted already, though something of it may still be on its way. */
  wasDeleted(uid: string | undefined): boolean {
    return uid !== undefined && this.#deleted.has(uid);
  }

  /** What was written before a listing and isn't in it was deleted while nobody watched, and no change will say so. */
  #dropVanished(listed: number): void {
    for (const [key, written] of this.#written) {
      if (versionOf(written) > listed || isSame(this.#store.get(key), written)) continue;
      if (written.metadata.uid !== undefined) this.#rememberDeleted(written.metadata.uid);
      this.#forget(key, written);
    }
  }

  #forget(key: string, written: T): void {
    this.#written.delete(key);
    const group = this.#groupOf(written);
    if (group === undefined) return;
    const keys = this.#writtenByGroup.get(group);
    keys?.delete(key);
    if (keys?.size === 0) this.#writtenByGroup.delete(group);
  }

  #rememberDeleted(uid: string): void {
    this.#deleted.add(uid);
    if (this.#deleted.size <= MOST_DELETED) return;
    const [oldest] = this.#deleted;
    if (oldest !== undefined) this.#deleted.delete(oldest);
  }
}

function versionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion ?? 0);
}

function isSame(a: KubeObject | undefined, b: KubeObject): boolean {
  return a?.metadata.uid === b.metadata.uid;
}
