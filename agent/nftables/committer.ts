import type { Logger } from '../../kube/log.ts';
import { type Groups, isolateRefused } from './isolate-refused.ts';
import { type Extent, KernelModel, type Transaction } from './kernel-model.ts';
import type { RuleBook } from './rule-book.ts';
import { type Nft, type NftError, throwUnlessRefused } from './run-nft.ts';
import type { TableOptions } from './table-options.ts';

export interface Commit {
  /** Elements added and deleted. */
  elements: number;
  /** From the start of building to the kernel's yes. */
  tookMs: number;
  extent: Extent;
}

export interface CommitterOptions {
  book: RuleBook;
  nft: Nft;
  table: TableOptions;
  log: Logger;
  onCommit?: (commit: Commit) => void;
  /** nft or the kernel won't have what this owner needs; everything else is applied. */
  onRefused?: (owner: string, error: NftError) => void;
  /** Something was refused that is right in itself: the kernel isn't what we took it for, and all is written anew. */
  onSurprise?: () => void;
}

/** However many are refused, to try them again takes no longer than this many runs of nft. */
const RETRIES = 10;
/** Each includes those before it. */
const EXTENTS: readonly Extent[] = ['change', 'rules', 'reset', 'replace'];

/**
 * Commits the rule book to the kernel, and finds out what to leave out when it is refused. To be called once at a time. The
 * first transaction resets whatever an agent before us left, in the same moment in which it writes everything: no
 * connection sees anything between.
 */
export class Committer {
  readonly model = new KernelModel();
  readonly #options: CommitterOptions;
  readonly #refused = new Map<string, NftError>();
  #table: TableOptions;
  /** What the next transaction has to be, at least. */
  #extent: Extent = 'reset';
  #commits = 0;
  #ruleWrites = 0;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#table = options.table;
  }

  /** Transactions that the kernel took. */
  get commits(): number {
    return this.#commits;
  }

  /** Those of them that wrote all rules. */
  get ruleWrites(): number {
    return this.#ruleWrites;
  }

  /** Owners that are left out, with nft's complaint. */
  get refused(): ReadonlyMap<string, NftError> {
    return this.#refused;
  }

  get table(): TableOptions {
    return this.#table;
  }

  /** The kernel holds what the model says, as far as is known: nothing failed that wasn't made good since. */
  get isCertain(): boolean {
    return this.#extent === 'change';
  }

  get isDue(): boolean {
    return this.#extent !== 'change' || this.#options.book.hasChanges;
  }

  /** An owner changed: what was refused may pass now. */
  forgive(owner: string): void {
    this.#refused.delete(owner);
  }

  setTable(table: TableOptions): void {
    this.#table = table;
    this.require('rules');
  }

  /** The next transaction is to be of this extent, or a larger one. */
  require(extent: Extent): void {
    if (EXTENTS.indexOf(extent) > EXTENTS.indexOf(this.#extent)) this.#extent = extent;
  }

  /** Commits what changed, or all that is due. Throws what isn't the fault of any owner: then everything is due. */
  async commit(): Promise<void> {
    const changed = this.#options.book.takeChanged();
    const extent = this.#extent;
    const isWhole = extent === 'reset' || extent === 'replace';
    try {
      await this.#commit(isWhole ? this.#allIds() : changed, extent);
    } catch (error) {
      this.require('reset');
      throwUnlessRefused(error);
      this.#options.log.warn('TransactionRefused', { extent, error });
      if (isWhole) await this.#recoverWhole();
      else await this.#recoverChange(changed, extent);
    }
  }

  /** Tries some of those that are left out once more, each alone: what the kernel lacked may be there now. */
  async retryRefused(): Promise<void> {
    // The oldest ones; who is refused again is the newest.
    for (const [owner, refusal] of [...this.#refused].slice(0, RETRIES)) {
      this.#refused.delete(owner);
      try {
        await this.#commit(this.#options.book.idsOf(owner), 'change');
      } catch (error) {
        this.#refused.set(owner, refusal);
        throwUnlessRefused(error);
      }
    }
  }

  /** Finds out who can't be applied, or whether it is the kernel that isn't what we took it for. */
  async #recoverChange(changed: Iterable<string>, extent: Extent): Promise<void> {
    const suspects = await isolateRefused(this.#groupByOwner(changed), (ids) => this.#commit(ids, 'change'));
    const bad: [string, NftError][] = [];
    for (const [owner, error] of suspects) {
      if (!(await this.#passes(this.#options.book.idsOf(owner), 'reset'))) bad.push([owner, error]);
    }
    for (const [owner, error] of bad) this.#refuse(owner, error);
    // All that was refused is bad in itself, so the kernel is what we think: no need to write everything anew.
    if (suspects.size > 0 && bad.length === suspects.size) this.#extent = extent;
    else this.#options.onSurprise?.();
  }

  /** Only tries until it is known what to leave out: what is in the kernel serves on until all that is good replaces it. */
  async #recoverWhole(): Promise<void> {
    if (!(await this.#passes([], 'reset'))) this.require('replace');
    const extent = this.#extent;
    const refused = await isolateRefused(this.#groupByOwner(this.#allIds()), (ids) => this.#try(ids, extent));
    for (const [owner, error] of refused) this.#refuse(owner, error);
    await this.#commit(this.#allIds(), extent);
  }

  #refuse(owner: string, error: NftError): void {
    this.#refused.set(owner, error);
    this.#options.log.error('ServiceRefused', { owner, error });
    this.#options.onRefused?.(owner, error);
  }

  async #passes(ids: Iterable<string>, extent: Extent): Promise<boolean> {
    try {
      await this.#try(ids, extent);
      return true;
    } catch (error) {
      throwUnlessRefused(error);
      return false;
    }
  }

  /** Lets the kernel judge a transaction without taking it. */
  async #try(ids: Iterable<string>, extent: Extent): Promise<void> {
    const { text } = await this.#build(ids, extent);
    await this.#options.nft({ args: ['-c', '-f', '-'], input: text });
  }

  async #commit(ids: Iterable<string>, extent: Extent): Promise<void> {
    const startedAt = performance.now();
    const transaction = await this.#build(ids, extent);
    const { text, elements } = transaction;
    // What is asked for from here on is for the next one.
    const due = this.#extent;
    if (EXTENTS.indexOf(extent) >= EXTENTS.indexOf(due)) this.#extent = 'change';
    try {
      if (text !== '') await this.#options.nft({ args: ['-f', '-'], input: text });
    } catch (error) {
      this.require(due);
      throw error;
    }
    this.model.merge(transaction);
    if (text === '') return;
    this.#commits++;
    if (extent !== 'change') this.#ruleWrites++;
    this.#options.onCommit?.({ elements, tookMs: performance.now() - startedAt, extent });
  }

  #build(ids: Iterable<string>, extent: Extent): Promise<Transaction> {
    return this.model.build({ ids, desired: (id) => this.#desired(id), extent }, this.#table);
  }

  /** What an id should hold; for an owner that is left out, what it has. */
  #desired(id: string) {
    const claim = this.#options.book.get(id);
    if (claim !== undefined && this.#refused.has(claim.owner.key)) return this.model.get(id);
    return claim?.entry;
  }

  /** Whatever else the kernel holds goes with the reset. */
  #allIds(): Iterable<string> {
    return this.#options.book.ids();
  }

  #groupByOwner(ids: Iterable<string>): Groups {
    const groups = new Map<string, string[]>();
    for (const id of ids) {
      const owner = this.#options.book.get(id)?.owner.key ?? '';
      const group = groups.get(owner) ?? [];
      groups.set(owner, group);
      group.push(id);
    }
    return groups;
  }
}
