import { type PlainObject, same } from './plain.ts';

/** An object of the device by what it is (`ltm/pool`) and its full path (`/Common/web`). */
export interface ConfigObject {
  kind: string;
  path: string;
  /** As iControl REST has them, without name, path and links. Of pools, `members` is a list. */
  properties: PlainObject;
}

/** All that is configured on a device: of AS3, by hand, and from the factory. */
export class Configuration {
  #kinds = new Map<string, Map<string, PlainObject>>();
  /** `kind path` of what AS3 made in /Common for several tenants: shared nodes and addresses. */
  #shared = new Set<string>();
  /** Counts changes. */
  generation = 1;

  get(kind: string, path: string): PlainObject | undefined {
    return this.#kinds.get(kind)?.get(path);
  }

  has(kind: string, path: string): boolean {
    return this.#kinds.get(kind)?.has(path) === true;
  }

  put(kind: string, path: string, properties: PlainObject, shared = false): void {
    const objects = this.#kinds.get(kind) ?? new Map<string, PlainObject>();
    this.#kinds.set(kind, objects);
    objects.set(path, properties);
    if (shared) this.#shared.add(`${kind} ${path}`);
    this.generation++;
  }

  delete(kind: string, path: string): boolean {
    this.#shared.delete(`${kind} ${path}`);
    this.generation++;
    return this.#kinds.get(kind)?.delete(path) === true;
  }

  isShared(kind: string, path: string): boolean {
    return this.#shared.has(`${kind} ${path}`);
  }

  /** Of one kind, in the order in which they were made. */
  list(kind: string): ConfigObject[] {
    return [...(this.#kinds.get(kind) ?? [])].map(([path, properties]) => ({ kind, path, properties }));
  }

  kinds(): string[] {
    return [...this.#kinds.keys()];
  }

  all(): ConfigObject[] {
    return this.kinds().flatMap((kind) => this.list(kind));
  }

  /** Is there one of any kind below this one (`ltm/monitor`)? */
  hasBelow(prefix: string, path: string): boolean {
    return this.kinds().some((kind) => kind.startsWith(`${prefix}/`) && this.has(kind, path));
  }

  equals(other: Configuration): boolean {
    return same(this.#kinds, other.#kinds);
  }

  /** Becomes a copy, as config-sync makes it. */
  copyFrom(other: Configuration): void {
    this.#kinds = structuredClone(other.#kinds);
    this.#shared = new Set(other.#shared);
    this.generation++;
  }
}

export function partitionOf(path: string): string {
  const end = path.indexOf('/', 1);
  return path.slice(1, end === -1 ? undefined : end);
}

/** `/T/A/web` as the parts that iControl REST shows. */
export function splitPath(path: string): { name: string; partition: string; subPath: string | undefined } {
  const [, partition = '', ...rest] = path.split('/');
  const name = rest.pop() ?? '';
  return { name, partition, subPath: rest.length === 0 ? undefined : rest.join('/') };
}

/** `/T/A/web` as it stands in URLs. */
export function tilded(path: string): string {
  return path.replaceAll('/', '~');
}
