import type { Logger } from '../../kube/log.ts';
import { type Groups, isolateRefused } from './isolate-refused.ts';
import { type Extent, KernelModel, type Transaction } from './kernel-model.ts';
import { TABLE } from './model.ts';
import type { TableOptions } from './render-table.ts';
import type { RuleBook } from './rule-book.ts';
import { type Nft, type NftError, throwUnlessRefused } from './run-nft.ts';

export interface Commit {
  /** Elements added and deleted. */
  elements: number;
  /** From the start of building to the kernel's yes. */
  tookMs: number;
  extent: Extent;
}

export interface ApplierEvents {
  onCommit?: (commit: Commit) => void;
  /** nft or the kernel won't have what this owner needs; everything else is applied. */
  onRefused?: (owner: string, error: NftError) => void;
  onFailure?: (error: unknown) => void;
}

export interface ApplierOptions extends ApplierEvents {
  book: RuleBook;
  nft: Nft;
  table: TableOptions;
  log: Logger;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;

/**
 * Brings the kernel to what the rule book says: one transaction at a time, of what changed while the one before ran. The
 * first one resets whatever an agent before us left, in the same moment in which it writes everything: no connection sees
 * anything between. After a refusal nothing is believed of the kernel either, and all is written again.
 */
export class Applier {
  readonly model = new KernelModel();
  readonly #options: ApplierOptions;
  readonly #refused = new Map<string, NftError>();
  #table: TableOptions;
  /** What the next transaction has to be, at least. */
  #extent: Extent = 'reset';
  #turn: Promise<unknown> = Promise.resolve();
  #started = false;
  #scheduled = false;
  #stopped = false;
  #retryMs = FIRST_RETRY_MS;
  #retryTimer: NodeJS.Timeout | undefined;
  #commits = 0;
  #hasApplied = false;
  #waitingSince: number | undefined;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#table = options.table;
  }

  /** Transactions that the kernel took. */
  get commits(): number {
    return this.#commits;
  }

  /** Everything that the book said at some moment has been in the kernel. */
  get hasApplied(): boolean {
    return this.#hasApplied;
  }

  /** `performance.now()` since when a change waits; undefined when all is applied. */
  get waitingSince(): number | undefined {
    return this.#waitingSince;
  }

  /** Owners that are left out, with nft's complaint. */
  get refused(): ReadonlyMap<string, NftError> {
    return this.#refused;
  }

  /** From now on the book is whole, and is applied: now, and whenever `schedule` says that it changed. */
  start(): void {
    this.#started = true;
    this.schedule();
  }

  /** Something in the book changed. Returns at once; see `settled`. */
  schedule(): void {
    if (!this.#started || this.#stopped) return;
    this.#waitingSince ??= performance.now();
    if (this.#scheduled) return;
    this.#scheduled = true;
    clearTimeout(this.#retryTimer);
    void this.exclusively(async () => {
      this.#scheduled = false;
      await this.#applyAll();
    });
  }

  /** An owner changed: what was refused may pass now. */
  forgive(owner: string): void {
    this.#refused.delete(owner);
  }

  /** CIDRs or the like changed. */
  setTable(table: TableOptions): void {
    this.#table = table;
    void this.writeAgain('rules');
  }

  /** Writes rules, or everything, anew, whatever the kernel holds by now. Resolves when that has been tried. */
  writeAgain(extent: 'rules' | 'reset' | 'replace'): Promise<void> {
    this.#require(extent);
    this.schedule();
    return this.settled();
  }

  /** Tries those that are left out once more, each alone: what the kernel lacked may be there now. */
  retryRefused(): Promise<void> {
    return this.exclusively(async () => {
      for (const [owner, refusal] of this.#refused) {
        this.#refused.delete(owner);
        try {
          await this.#commit(this.#options.book.idsOf(owner), 'change');
        } catch (error) {
          this.#refused.set(owner, refusal);
          throwUnlessRefused(error);
        }
      }
    });
  }

  /** Deletes chains that nothing leads to any more. The kernel may call one busy for a moment: then another time. */
  collectChains(): Promise<void> {
    return this.exclusively(async () => {
      const unused = this.model.unusedChains();
      if (unused.length === 0) return;
      const lines = unused.map((chain) => `delete chain ${chain.replace(' ', ` ${TABLE} `)}`);
      try {
        await this.#options.nft({ args: ['-f', '-'], input: `${lines.join('\n')}\n` });
        this.model.forgetChains(unused);
      } catch (error) {
        throwUnlessRefused(error);
        this.#options.log.debug('ChainsBusy', { chains: unused.length });
      }
    });
  }

  /** Resolves when everything scheduled before has been tried. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  /** Lets the transaction that runs finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
    await this.#turn;
  }

  /** Runs `work` while no transaction does. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #applyAll(): Promise<void> {
    try {
      while (!this.#stopped && (this.#extent !== 'change' || this.#options.book.hasChanges)) {
        await this.#applyOnce();
      }
      this.#retryMs = FIRST_RETRY_MS;
      this.#waitingSince = undefined;
      this.#hasApplied = true;
    } catch (error) {
      this.#require('reset');
      this.#options.log.error('ApplyFailed', { error, retryMs: this.#retryMs });
      this.#options.onFailure?.(error);
      if (this.#stopped) return;
      this.#retryTimer = setTimeout(() => this.schedule(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  async #applyOnce(): Promise<void> {
    const changed = this.#options.book.takeChanged();
    const extent = this.#extent;
    const isWhole = extent === 'reset' || extent === 'replace';
    try {
      await this.#commit(isWhole ? this.#allIds() : changed, extent);
    } catch (error) {
      throwUnlessRefused(error);
      this.#options.log.warn('TransactionRefused', { extent, error });
      await (isWhole ? this.#recoverWhole() : this.#recoverChange(changed));
    }
  }

  /** Finds out who can't be applied, or whether it is the kernel that isn't what we took it for. */
  async #recoverChange(changed: Iterable<string>): Promise<void> {
    const suspects = await isolateRefused(this.#groupByOwner(changed), (ids) => this.#commit(ids, 'change'));
    for (const [owner, error] of suspects) {
      const passesAlone = await this.#check(this.#options.book.idsOf(owner), 'reset');
      if (passesAlone) this.#require('reset');
      else this.#refuse(owner, error);
    }
    if (suspects.size === 0) this.#require('reset');
  }

  /** Only tries until it is known what to leave out: what is in the kernel serves on until all that is good replaces it. */
  async #recoverWhole(): Promise<void> {
    if (!(await this.#check([], 'reset'))) this.#require('replace');
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

  async #check(ids: Iterable<string>, extent: Extent): Promise<boolean> {
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
    // What is asked for while it runs is for the next one.
    if (this.#extent === extent) this.#extent = 'change';
    try {
      if (transaction.text !== '') await this.#options.nft({ args: ['-f', '-'], input: transaction.text });
    } catch (error) {
      this.#require(extent);
      throw error;
    }
    this.model.merge(transaction);
    if (transaction.text === '') return;
    this.#commits++;
    this.#options.onCommit?.({
      elements: transaction.elements,
      tookMs: performance.now() - startedAt,
      extent,
    });
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

  #allIds(): Set<string> {
    return new Set([...this.#options.book.ids(), ...this.model.ids()]);
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

  #require(extent: Extent): void {
    if (EXTENTS.indexOf(extent) > EXTENTS.indexOf(this.#extent)) this.#extent = extent;
  }
}

/** Each includes those before it. */
const EXTENTS: readonly Extent[] = ['change', 'rules', 'reset', 'replace'];
