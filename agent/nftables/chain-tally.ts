import type { Family } from '../endpoints/canonical-address.ts';
import { type Chain, comesAndGoes, ledToBy, weighChain, weighUnknown } from './describe-chains.ts';

/** `ip pick-3`: a family and a chain's name. */
export type ChainKey = string;

interface HeldChain {
  /** Undefined: another agent's. */
  chain: Chain | undefined;
  /** Elements and chains that lead there. */
  uses: number;
}

/**
 * The chains in the kernel that come and go, and how many elements and other chains lead into each. Whether nothing leads
 * to one any more is known at once, however many entries there are. A chain that is left counts for those that it leads to
 * until it is deleted: the kernel deletes none that another still leads into.
 */
export class ChainTally {
  readonly #held = new Map<ChainKey, HeldChain>();
  /** Those that nothing leads to, the longest known first. */
  readonly #unused = new Set<ChainKey>();

  /** Undefined: it isn't there, or is another agent's. */
  get(key: ChainKey): Chain | undefined {
    return this.#held.get(key)?.chain;
  }

  /** All that we made. */
  *own(): Iterable<[ChainKey, Chain]> {
    for (const [key, { chain }] of this.#held) if (chain !== undefined) yield [key, chain];
  }

  /** Names of a family's chains, another agent's too. */
  namesOf(family: Family): string[] {
    return [...this.#held.keys()].flatMap((key) =>
      familyOf(key) === family ? [key.slice(family.length + 1)] : [],
    );
  }

  get unused(): number {
    return this.#unused.size;
  }

  /**
   * Takes over what a transaction did: chains that are new, each after those that it leads to, and by how much the number of
   * elements that lead to one grew.
   */
  change(made: ReadonlyMap<ChainKey, Chain>, uses: ReadonlyMap<ChainKey, number>): void {
    for (const [key, chain] of made) {
      this.#held.set(key, { chain, uses: this.#held.get(key)?.uses ?? 0 });
      this.#use(key, 0);
      for (const name of ledToBy(chain)) this.#use(`${familyOf(key)} ${name}`, 1);
    }
    for (const [key, more] of uses) this.#use(key, more);
  }

  /** Takes in chains that were found in the kernel, of an agent before us: nothing of ours leads there. */
  adopt(family: Family, names: Iterable<string>): void {
    const unknown = [...names].filter((name) => comesAndGoes(name) && !this.#held.has(`${family} ${name}`));
    // Those first that may lead to others.
    for (const name of unknown.sort((a, b) => orderOf(a) - orderOf(b))) {
      this.#held.set(`${family} ${name}`, { chain: undefined, uses: 0 });
      this.#unused.add(`${family} ${name}`);
    }
  }

  /** Chains that nothing leads to, of so much weight together, but at least so many if there are. */
  listUnused(mostWeight: number, least: number): ChainKey[] {
    const listed: ChainKey[] = [];
    let weight = 0;
    for (const key of this.#unused) {
      const chain = this.get(key);
      weight += chain === undefined ? weighUnknown(nameOf(key)) : weighChain(chain);
      if (listed.length >= least && weight > mostWeight) break;
      listed.push(key);
    }
    return listed;
  }

  /** The others come before these. */
  postpone(keys: Iterable<ChainKey>): void {
    for (const key of keys) if (this.#unused.delete(key)) this.#unused.add(key);
  }

  /** To be called when they are deleted. */
  forget(keys: Iterable<ChainKey>): void {
    for (const key of keys) {
      const chain = this.get(key);
      this.#held.delete(key);
      this.#unused.delete(key);
      for (const name of chain === undefined ? [] : ledToBy(chain)) this.#use(`${familyOf(key)} ${name}`, -1);
    }
  }

  clear(): void {
    this.#held.clear();
    this.#unused.clear();
  }

  #use(key: ChainKey, more: number): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    held.uses += more;
    if (held.uses > 0) this.#unused.delete(key);
    else this.#unused.add(key);
  }
}

export function familyOf(key: ChainKey): Family {
  return key.startsWith('ip6 ') ? 'ip6' : 'ip';
}

function nameOf(key: ChainKey): string {
  return key.slice(familyOf(key).length + 1);
}

const LEADING = ['external-', 'local-', 'affinity-', 'found-'];

function orderOf(name: string): number {
  const order = LEADING.findIndex((prefix) => name.startsWith(prefix));
  return order < 0 ? LEADING.length : order;
}
