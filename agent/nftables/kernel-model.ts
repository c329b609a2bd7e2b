import type { Family } from '../endpoints/canonical-address.ts';
import { inSlices } from '../slice-work.ts';
import { diffEntry } from './diff-entry.ts';
import { chainsOf, type Element, type Entry, isFrontend, TABLE } from './model.ts';
import { type ParsedListing, readEntries } from './parse-listing.ts';
import { renderElements } from './render-elements.ts';
import { renderTable, renderTreatmentChain, type TableOptions } from './render-table.ts';

export const FAMILIES: readonly Family[] = ['ip', 'ip6'];
export const TREATMENT_CHAIN = /^(pick|external|nodeport)-\d+$/;

/** One `nft -f`, and what is true once it went through. */
export interface Transaction {
  text: string;
  /** Elements added or deleted. */
  elements: number;
  /** By id: the entry as the kernel will hold it. */
  entries: Map<string, Entry | undefined>;
  /** `ip pick-3`, ... */
  chains: Set<string>;
  clearsStrays: boolean;
  /** The table as it was is thrown away. */
  replaces: boolean;
}

export interface TransactionRequest {
  ids: Iterable<string>;
  desired: (id: string) => Entry | undefined;
  /** Also write the table, its maps and fixed chains. */
  structure?: boolean;
  /** Throw the old table away in the same moment. Needs `structure`, and all ids. */
  replace?: boolean;
}

/** What is committed to the kernel, as far as known. */
export class KernelModel {
  readonly #entries = new Map<string, Entry>();
  /** Chains that depend on endpoint counts: `ip pick-3`. */
  readonly #chains = new Set<string>();
  #strays: Element[] = [];
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

  get hasStrays(): boolean {
    return this.#strays.length > 0;
  }

  /** Forgets everything, and takes in what was listed; `undefined` for a table that isn't there. */
  read(listings: Readonly<Record<Family, ParsedListing | undefined>>): void {
    this.#entries.clear();
    this.#chains.clear();
    this.#strays = [];
    this.#elements = 0;
    for (const family of FAMILIES) {
      const listing = listings[family];
      if (listing === undefined) continue;
      for (const chain of listing.chains.keys()) {
        if (TREATMENT_CHAIN.test(chain)) this.#chains.add(`${family} ${chain}`);
      }
      for (const elements of listing.elements.values()) this.#elements += elements.size;
      const { entries, strays } = readEntries(family, listing.elements);
      for (const [id, entry] of entries) this.#entries.set(id, entry);
      this.#strays.push(...strays);
    }
  }

  /** The least that turns the kernel's state under these ids into the desired one. */
  async build(request: TransactionRequest, options: TableOptions): Promise<Transaction> {
    const replaces = request.replace === true;
    const entries = new Map<string, Entry | undefined>();
    const chains = new Set<string>();
    const deletions: Element[] = [];
    const additions: Element[] = [];
    const clearsStrays = !replaces && this.#strays.length > 0;
    if (clearsStrays) deletions.push(...this.#strays);
    await inSlices(request.ids, (id) => {
      const desired = request.desired(id);
      const change = diffEntry(replaces ? undefined : this.#entries.get(id), desired);
      for (const element of change.deletions) deletions.push(element);
      for (const element of change.additions) additions.push(element);
      entries.set(id, change.committed);
      if (desired === undefined || !isFrontend(desired)) return;
      for (const chain of chainsOf(desired)) {
        const name = `${desired.family} ${chain}`;
        if (replaces || !this.#chains.has(name)) chains.add(name);
      }
    });
    const lines = [
      ...(request.structure === true
        ? FAMILIES.flatMap((family) => this.#structure(family, options, replaces))
        : []),
      ...[...chains].flatMap((chain) => renderChain(chain, options)),
      ...renderElements({ deletions, additions }),
    ];
    const elements = deletions.length + additions.length;
    return {
      text: lines.length === 0 ? '' : `${lines.join('\n')}\n`,
      elements,
      entries,
      chains,
      clearsStrays,
      replaces,
    };
  }

  /** To be called when the kernel took the transaction. */
  merge(transaction: Transaction): void {
    if (transaction.replaces) {
      this.#entries.clear();
      this.#chains.clear();
      this.#elements = 0;
      this.#strays = [];
    }
    if (transaction.clearsStrays) {
      this.#elements -= this.#strays.length;
      this.#strays = [];
    }
    for (const [id, entry] of transaction.entries) {
      this.#elements += sizeOf(entry) - sizeOf(this.#entries.get(id));
      if (entry === undefined) this.#entries.delete(id);
      else this.#entries.set(id, entry);
    }
    for (const chain of transaction.chains) this.#chains.add(chain);
  }

  /** Chains of a family that depend on endpoint counts. */
  chains(family: Family): string[] {
    return [...this.#chains].flatMap((chain) =>
      chain.startsWith(`${family} `) ? [chain.slice(family.length + 1)] : [],
    );
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

  forgetChains(chains: Iterable<string>): void {
    for (const chain of chains) this.#chains.delete(chain);
  }

  #structure(family: Family, options: TableOptions, replaces: boolean): string[] {
    const known = [...this.#chains].filter((chain) => !replaces && chain.startsWith(`${family} `));
    return [
      // Deleting what may not be there takes an addition first (`destroy` came with nft 1.0.8).
      ...(replaces ? [`add table ${family} ${TABLE}`, `delete table ${family} ${TABLE}`] : []),
      ...renderTable(family, options),
      ...known.flatMap((chain) => renderChain(chain, options)),
    ];
  }
}

function renderChain(chain: string, options: TableOptions): string[] {
  const [family, name] = chain.split(' ');
  return renderTreatmentChain(family === 'ip6' ? 'ip6' : 'ip', name ?? '', options.markBit);
}

function sizeOf(entry: Entry | undefined): number {
  return entry === undefined ? 0 : isFrontend(entry) ? 1 + entry.endpoints.length : 1;
}
