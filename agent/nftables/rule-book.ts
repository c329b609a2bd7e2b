import { type Entry, idOf, isFrontend } from './model.ts';

/** Who put entries in: a Service (`namespace/name`), or the agent itself for what belongs to the node. */
export interface Owner {
  key: string;
  /** RFC 3339; the older of two Services that claim one frontend has it. Empty: before all. */
  since: string;
}

/** A frontend that several Services claim. */
export interface Conflict {
  id: string;
  winner: string;
  losers: string[];
}

interface Claim {
  owner: Owner;
  entry: Entry;
}

/**
 * What the kernel should hold: the entries of all owners, and who wins where two claim the same frontend. In memory only;
 * remembers which ids changed since they were taken last, so that the rest is never looked at.
 */
export class RuleBook {
  readonly #entriesOf = new Map<string, readonly Entry[]>();
  /** By id, in order of right: the first is in force. */
  readonly #claims = new Map<string, Claim | Claim[]>();
  readonly #contested = new Set<string>();
  #changed = new Set<string>();

  /** Sets all entries of an owner; an empty list removes it. */
  put(owner: Owner, entries: readonly Entry[]): void {
    for (const entry of this.#entriesOf.get(owner.key) ?? []) this.#withdraw(owner.key, entry);
    if (entries.length === 0) this.#entriesOf.delete(owner.key);
    else this.#entriesOf.set(owner.key, entries);
    for (const entry of entries) this.#claim({ owner, entry });
  }

  remove(ownerKey: string): void {
    this.put({ key: ownerKey, since: '' }, []);
  }

  /** The entry in force under an id, and whose it is. */
  get(id: string): Claim | undefined {
    const claims = this.#claims.get(id);
    return Array.isArray(claims) ? claims[0] : claims;
  }

  ids(): Iterable<string> {
    return this.#claims.keys();
  }

  idsOf(ownerKey: string): string[] {
    return (this.#entriesOf.get(ownerKey) ?? []).map(idOf);
  }

  /** Entries in force. */
  get size(): number {
    return this.#claims.size;
  }

  /** Ids that may have changed since the last call. */
  takeChanged(): Set<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  get hasChanges(): boolean {
    return this.#changed.size > 0;
  }

  conflicts(): Conflict[] {
    return [...this.#contested].sort().flatMap((id) => {
      const claims = this.#claims.get(id);
      if (!Array.isArray(claims)) return [];
      const [winner, ...losers] = claims.map(({ owner }) => owner.key);
      return winner === undefined ? [] : [{ id, winner, losers }];
    });
  }

  #claim(claim: Claim): void {
    const id = idOf(claim.entry);
    this.#changed.add(id);
    const present = this.#claims.get(id);
    if (present === undefined) {
      this.#claims.set(id, claim);
      return;
    }
    const claims = [...(Array.isArray(present) ? present : [present]), claim].sort(byRight);
    this.#claims.set(id, claims);
    if (isFrontend(claim.entry)) this.#contested.add(id);
  }

  #withdraw(ownerKey: string, entry: Entry): void {
    const id = idOf(entry);
    this.#changed.add(id);
    const present = this.#claims.get(id);
    const rest = (Array.isArray(present) ? present : present === undefined ? [] : [present]).filter(
      ({ owner }) => owner.key !== ownerKey,
    );
    const [first] = rest;
    if (first === undefined) this.#claims.delete(id);
    else this.#claims.set(id, rest.length === 1 ? first : rest);
    if (rest.length < 2) this.#contested.delete(id);
  }
}

function byRight(a: Claim, b: Claim): number {
  return compare(a.owner.since, b.owner.since) || compare(a.owner.key, b.owner.key);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
