import { inSlices } from '../../kube/slice-work.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import { ChainTally, familyOf } from './chain-tally.ts';
import { type Chain, chainsOf, entranceChains } from './describe-chains.ts';
import { countElements, diffEntry } from './diff-entry.ts';
import { type Entry, isFrontend, MAPS, SETS, TABLE } from './model.ts';
import { ModelSnapshot } from './model-snapshot.ts';
import { renderChain } from './render-chain.ts';
import { ElementLines } from './render-elements.ts';
import { renderFixedChains, renderMaps } from './render-table.ts';
import type { TableOptions } from './table-options.ts';

export const FAMILIES: readonly Family[] = ['ip', 'ip6'];

/**
 * How much is written besides the elements of the ids:
 * - `change`: chains that they are the first to need;
 * - `rules`: also all chains, anew;
 * - `reset`: and the table with all its maps, which are emptied first: it doesn't matter what was there;
 * - `replace`: the same with a new table, whatever the old one was.
 * The last two need all ids. Whatever it is, it happens in one moment: no connection sees half of it.
 */
export type Extent = 'change' | 'rules' | 'reset' | 'replace';

/** One `nft -f`, and what is true once it went through. */
export interface Transaction {
  text: string;
  extent: Extent;
  /** Elements added or deleted. */
  elements: number;
  /** By id: the entries as the kernel will hold them. */
  entries: Map<string, Entry>;
  /** Ids that it will hold nothing of any more. */
  removed: string[];
  /** Chains that are new, by family and name: `ip pick-3`, ... */
  chains: Map<string, Chain>;
  /** By how much the number of elements that lead into a chain grows. */
  uses: Map<string, number>;
}

export interface TransactionRequest {
  ids: Iterable<string>;
  desired: (id: string) => Entry | undefined;
  extent: Extent;
}

/** What is committed to the kernel. Known without ever reading it, since it begins with a reset. */
export class KernelModel {
  /** Those that come and go. */
  readonly chains = new ChainTally();
  #entries = new Map<string, Entry>();
  #elements = 0;
  #snapshot: ModelSnapshot | undefined;

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** What it holds now; there is one snapshot at a time, the newest. */
  takeSnapshot(): ModelSnapshot {
    this.#snapshot = new ModelSnapshot(this.#entries);
    return this.#snapshot;
  }

  dropSnapshot(): void {
    this.#snapshot = undefined;
  }

  /** Elements in the kernel. */
  get elements(): number {
    return this.#elements;
  }

  /** The least that turns the kernel's state under these ids into the desired one. */
  async build(request: TransactionRequest, options: TableOptions): Promise<Transaction> {
    const { extent } = request;
    const anew = extent === 'reset' || extent === 'replace';
    const entries = new Map<string, Entry>();
    const removed: string[] = [];
    const chains = new Map<string, Chain>();
    const uses = new Map<string, number>();
    const elements = new ElementLines();
    await inSlices(request.ids, (id) => {
      const desired = request.desired(id);
      const before = anew ? undefined : this.#entries.get(id);
      const { deletions, additions, committed } = diffEntry(before, desired);
      for (const element of deletions) elements.delete(element);
      for (const element of additions) elements.add(element);
      if (committed === undefined) removed.push(id);
      else entries.set(id, committed);
      countUses(uses, before, -1);
      countUses(uses, desired, 1);
      if (desired === undefined || !isFrontend(desired)) return;
      for (const chain of chainsOf(desired)) {
        const name = `${desired.family} ${chain.name}`;
        if (anew || this.chains.get(name) === undefined) chains.set(name, chain);
      }
    });
    const lines =
      extent === 'change' ? [] : FAMILIES.flatMap((family) => this.#renderExtent(family, extent, options));
    // Those that are there are written anew with the rules; a reset needs no others than its entries do.
    await inSlices(extent === 'rules' ? this.chains.own() : [], ([name, chain]) => {
      lines.push(...renderChain(familyOf(name), chain, options));
    });
    await inSlices(chains, ([name, chain]) => {
      lines.push(...renderChain(familyOf(name), chain, options));
    });
    for (const line of elements.lines()) lines.push(line);
    const text = lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    return { text, extent, elements: elements.count, entries, removed, chains, uses };
  }

  /** To be called when the kernel took the transaction. */
  merge({ extent, elements, entries, removed, chains, uses }: Transaction): void {
    if (extent === 'reset' || extent === 'replace') {
      this.#snapshot?.overtake();
      // Taken over as it is: to copy 300,000 would keep everything else waiting.
      this.#entries = entries;
      this.#elements = elements;
      this.chains.clear();
    } else {
      for (const [id, entry] of entries) this.#set(id, entry);
      for (const id of removed) this.#set(id, undefined);
    }
    this.chains.change(chains, uses);
  }

  /** How many rules a chain that comes and goes has; undefined: it is none that we made. */
  ruleCount(family: Family, name: string, options: TableOptions): number | undefined {
    const chain = this.chains.get(`${family} ${name}`);
    // Two commands make the chain, and empty it.
    return chain === undefined ? undefined : renderChain(family, chain, options).length - 2;
  }

  #set(id: string, entry: Entry | undefined): void {
    this.#snapshot?.keep(id);
    this.#elements += countOf(entry) - countOf(this.#entries.get(id));
    if (entry === undefined) this.#entries.delete(id);
    else this.#entries.set(id, entry);
  }

  #renderExtent(family: Family, extent: Extent, options: TableOptions): string[] {
    const own = `${family} ${TABLE}`;
    const fixed = renderFixedChains(family, options);
    // No maps: to declare one again is harmless, but makes every `nft monitor` forget what it is called.
    if (extent === 'rules') return fixed;
    if (extent === 'replace') {
      // Deleting what may not be there takes an addition first (`destroy` came with nft 1.0.8).
      return [`add table ${own}`, `delete table ${own}`, ...renderMaps(family, options), ...fixed];
    }
    const flushes = [
      ...MAPS.map((name) => `flush map ${own} ${name}`),
      ...SETS.map((name) => `flush set ${own} ${name}`),
    ];
    return [...renderMaps(family, options), ...fixed, ...flushes];
  }
}

function countUses(uses: Map<string, number>, entry: Entry | undefined, more: 1 | -1): void {
  if (entry === undefined || !isFrontend(entry)) return;
  for (const name of entranceChains(entry)) {
    const key = `${entry.family} ${name}`;
    uses.set(key, (uses.get(key) ?? 0) + more);
  }
}

function countOf(entry: Entry | undefined): number {
  return entry === undefined ? 0 : countElements(entry);
}
