import type { Family } from '../endpoints/canonical-address.ts';
import { inSlices } from '../slice-work.ts';
import { diffEntry } from './diff-entry.ts';
import { chainsOf, type Element, type Entry, isFrontend, MAPS, SETS, TABLE } from './model.ts';
import { renderElements } from './render-elements.ts';
import { renderFixedChains, renderMaps, renderTreatmentChain, type TableOptions } from './render-table.ts';

export const FAMILIES: readonly Family[] = ['ip', 'ip6'];
const TREATMENT_CHAIN = /^(pick|external|nodeport)-\d+$/;

/** Whether a chain is one of those that depend on endpoint counts. */
export function isTreatmentChain(name: string): boolean {
  return TREATMENT_CHAIN.test(name);
}

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
  /** By id: the entry as the kernel will hold it. */
  entries: Map<string, Entry | undefined>;
  /** Chains that are new: `ip pick-3`, ... */
  chains: Set<string>;
}

export interface TransactionRequest {
  ids: Iterable<string>;
  desired: (id: string) => Entry | undefined;
  extent: Extent;
}

/** What is committed to the kernel. Known without ever reading it, since it begins with a reset. */
export class KernelModel {
  readonly #entries = new Map<string, Entry>();
  /** Chains that depend on endpoint counts: `ip pick-3`. */
  readonly #chains = new Set<string>();
  #elements = 0;

  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  ids(): Iterable<string> {
    return this.#entries.keys();
  }

  entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** Elements in the kernel. */
  get elements(): number {
    return this.#elements;
  }

  /** The least that turns the kernel's state under these ids into the desired one. */
  async build(request: TransactionRequest, options: TableOptions): Promise<Transaction> {
    const { extent } = request;
    const anew = extent === 'reset' || extent === 'replace';
    const entries = new Map<string, Entry | undefined>();
    const chains = new Set<string>();
    const deletions: Element[] = [];
    const additions: Element[] = [];
    await inSlices(request.ids, (id) => {
      const desired = request.desired(id);
      const change = diffEntry(anew ? undefined : this.#entries.get(id), desired);
      for (const element of change.deletions) deletions.push(element);
      for (const element of change.additions) additions.push(element);
      entries.set(id, change.committed);
      if (desired === undefined || !isFrontend(desired)) return;
      for (const chain of chainsOf(desired)) {
        const name = `${desired.family} ${chain}`;
        if (anew || !this.#chains.has(name)) chains.add(name);
      }
    });
    const lines = [
      ...(extent === 'change'
        ? []
        : FAMILIES.flatMap((family) => this.#renderExtent(family, extent, options))),
      ...[...chains].flatMap((chain) => renderChain(chain, options)),
      ...renderElements({ deletions, additions }),
    ];
    const text = lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    return { text, extent, elements: deletions.length + additions.length, entries, chains };
  }

  /** To be called when the kernel took the transaction. */
  merge({ extent, entries, chains }: Transaction): void {
    if (extent === 'reset' || extent === 'replace') {
      this.#entries.clear();
      this.#chains.clear();
      this.#elements = 0;
    }
    for (const [id, entry] of entries) {
      this.#elements += sizeOf(entry) - sizeOf(this.#entries.get(id));
      if (entry === undefined) this.#entries.delete(id);
      else this.#entries.set(id, entry);
    }
    for (const chain of chains) this.#chains.add(chain);
  }

  /** Chains of a family that depend on endpoint counts. */
  chains(family: Family): string[] {
    return [...this.#chains].flatMap((chain) =>
      chain.startsWith(`${family} `) ? [chain.slice(family.length + 1)] : [],
    );
  }

  /** Takes in chains that were found in the kernel: those of an agent before us, to be collected one day. */
  adoptChains(family: Family, names: Iterable<string>): void {
    for (const name of names) if (isTreatmentChain(name)) this.#chains.add(`${family} ${name}`);
  }

  forgetChains(chains: Iterable<string>): void {
    for (const chain of chains) this.#chains.delete(chain);
  }

  /** Chains that no committed entry leads into. */
  unusedChains(): string[] {
    const unused = new Set(this.#chains);
    for (const entry of this.#entries.values()) {
      if (unused.size === 0) break;
      if (isFrontend(entry)) for (const chain of chainsOf(entry)) unused.delete(`${entry.family} ${chain}`);
    }
    return [...unused].sort();
  }

  #renderExtent(family: Family, extent: Extent, options: TableOptions): string[] {
    const own = `${family} ${TABLE}`;
    const fixed = renderFixedChains(family, options);
    if (extent === 'rules') {
      // No maps: to declare one again is harmless, but makes every `nft monitor` forget what it is called.
      const rest = this.chains(family).flatMap((name) => renderTreatmentChain(family, name, options.markBit));
      return [...fixed, ...rest];
    }
    if (extent === 'replace') {
      // Deleting what may not be there takes an addition first (`destroy` came with nft 1.0.8).
      return [`add table ${own}`, `delete table ${own}`, ...renderMaps(family), ...fixed];
    }
    const flushes = [
      ...MAPS.map((name) => `flush map ${own} ${name}`),
      ...SETS.map((name) => `flush set ${own} ${name}`),
    ];
    return [...renderMaps(family), ...fixed, ...flushes];
  }
}

function renderChain(chain: string, options: TableOptions): string[] {
  const [family, name] = chain.split(' ');
  return renderTreatmentChain(family === 'ip6' ? 'ip6' : 'ip', name ?? '', options.markBit);
}

function sizeOf(entry: Entry | undefined): number {
  return entry === undefined ? 0 : isFrontend(entry) ? 1 + entry.endpoints.length : 1;
}
