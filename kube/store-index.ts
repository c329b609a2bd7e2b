/** Value to objects, kept up to date object by object. */
export class StoreIndex<T> {
  readonly #keys: (object: T) => string[];
  readonly #buckets = new Map<string, Map<string, T>>();

  constructor(keys: (object: T) => string[]) {
    this.#keys = keys;
  }

  /** An empty one of the same keys. */
  anew(): StoreIndex<T> {
    return new StoreIndex(this.#keys);
  }

  get(value: string): T[] {
    const bucket = this.#buckets.get(value);
    return bucket === undefined ? [] : [...bucket.values()];
  }

  /** Moves the object of this key from where `previous` was to where `next` belongs; undefined: wasn't, or isn't there. */
  set(key: string, previous: T | undefined, next: T | undefined): void {
    const values = next === undefined ? [] : this.#keys(next);
    for (const value of previous === undefined ? [] : this.#keys(previous)) {
      if (!values.includes(value)) this.#remove(value, key);
    }
    if (next === undefined) return;
    for (const value of values) this.#add(value, key, next);
  }

  #add(value: string, key: string, object: T): void {
    const bucket = this.#buckets.get(value);
    if (bucket === undefined) this.#buckets.set(value, new Map([[key, object]]));
    else bucket.set(key, object);
  }

  #remove(value: string, key: string): void {
    const bucket = this.#buckets.get(value);
    bucket?.delete(key);
    if (bucket?.size === 0) this.#buckets.delete(value);
  }
}
