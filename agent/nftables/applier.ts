import type { Logger } from '../../kube/log.ts';
import { isolateRefused } from './isolate-refused.ts';
import { KernelModel, type Transaction, type TransactionRequest } from './kernel-model.ts';
import { TABLE } from './model.ts';
import { UnknownListingError } from './parse-listing.ts';
import { readKernel } from './read-kernel.ts';
import type { TableOptions } from './render-table.ts';
import type { RuleBook } from './rule-book.ts';
import { type Nft, NftError } from './run-nft.ts';

export interface Commit {
  /** Elements added and deleted. */
  elements: number;
  /** From the start of building to the kernel's yes. */
  tookMs: number;
  structure: boolean;
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
 * Brings the kernel to what the rule book says: one transaction at a time, of what changed while the one before ran.
 * The kernel is read only at the start and when a transaction was refused, since then it isn't what we took it for.
 */
export class Applier {
  readonly model = new KernelModel();
  readonly #options: ApplierOptions;
  readonly #refused = new Map<string, NftError>();
  #table: TableOptions;
  #structureDue = true;
  #replaceDue = false;
  #everythingDue = true;
  #turn: Promise<unknown> = Promise.resolve();
  #scheduled = false;
  #started = false;
  #stopped = false;
  #retryMs = FIRST_RETRY_MS;
  #retryTimer: NodeJS.Timeout | undefined;
  #commits = 0;
  #hasApplied = false;
  /** `performance.now()` since when a change waits; undefined when all is applied. */
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

  get waitingSince(): number | undefined {
    return this.#waitingSince;
  }

  /** Owners that are left out, with nft's complaint. */
  get refused(): ReadonlyMap<string, NftError> {
    return this.#refused;
  }

  /** Reads what an agent before us left in the kernel. May run while the lists come in; writes nothing. */
  load(): Promise<void> {
    return this.exclusively(() => this.#readAgain());
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

  /** CIDRs or the like changed: rules are written anew. */
  setTable(table: TableOptions): void {
    this.#table = table;
    this.#structureDue = true;
    this.schedule();
  }

  /** The kernel was found to differ from the model: reads it, and applies the difference. */
  repair(): Promise<void> {
    return this.exclusively(async () => {
      await this.#readAgain();
      this.#structureDue = true;
      await this.#applyAll();
    });
  }

  /** Writes all rules anew, whatever they are by now; elements stay. */
  rewriteRules(): Promise<void> {
    this.#structureDue = true;
    this.schedule();
    return this.settled();
  }

  /** Tries those that are left out once more, each alone: what the kernel lacked may be there now. */
  retryRefused(): Promise<void> {
    return this.exclusively(async () => {
      for (const [owner, refusal] of this.#refused) {
        this.#refused.delete(owner);
        try {
          await this.#commit(this.#options.book.idsOf(owner));
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
      while (!this.#stopped && (this.#everythingDue || this.#structureDue || this.#options.book.hasChanges)) {
        await this.#applyOnce();
      }
      this.#retryMs = FIRST_RETRY_MS;
      this.#waitingSince = undefined;
      this.#hasApplied = true;
    } catch (error) {
      this.#everythingDue = true;
      this.#options.log.error('ApplyFailed', { error, retryMs: this.#retryMs });
      this.#options.onFailure?.(error);
      if (this.#stopped) return;
      this.#retryTimer = setTimeout(() => this.schedule(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  async #applyOnce(): Promise<void> {
    const { book } = this.#options;
    const changed = book.takeChanged();
    const everything = this.#everythingDue || this.#replaceDue;
    try {
      await this.#commit(everything ? this.#allIds() : changed);
    } catch (error) {
      throwUnlessRefused(error);
      this.#options.log.warn('TransactionRefused', { error });
      await this.#recover();
    }
    this.#everythingDue = false;
  }

  /** After a refusal: first trust nothing that we believed of the kernel, then find out whose fault it is. */
  async #recover(): Promise<void> {
    await this.#readAgain();
    this.#structureDue = true;
    const ids = this.#allIds();
    try {
      await this.#commit(ids);
      return;
    } catch (error) {
      throwUnlessRefused(error);
    }
    await this.#commitStructure(ids);
    const refused = await isolateRefused(this.#groupByOwner(ids), async (group) => {
      await this.#commit(group);
    });
    for (const [owner, error] of refused) {
      this.#refused.set(owner, error);
      this.#options.log.error('ServiceRefused', { owner, error });
      this.#options.onRefused?.(owner, error);
    }
  }

  /** The table alone; one of another layout, which can't be written over, is exchanged with all that is in it. */
  async #commitStructure(ids: Iterable<string>): Promise<void> {
    try {
      await this.#commit([]);
      return;
    } catch (error) {
      throwUnlessRefused(error);
    }
    this.#replaceDue = true;
    try {
      await this.#commit(ids);
    } catch (error) {
      throwUnlessRefused(error);
      await this.#commit([]);
    }
  }

  async #commit(ids: Iterable<string>): Promise<void> {
    const startedAt = performance.now();
    const structure = this.#structureDue;
    const request: TransactionRequest = {
      ids,
      desired: (id) => this.#desired(id),
      structure,
      replace: this.#replaceDue,
    };
    const transaction = await this.model.build(request, this.#table);
    if (transaction.text !== '') await this.#options.nft({ args: ['-f', '-'], input: transaction.text });
    this.#take(transaction, structure, startedAt);
  }

  #take(transaction: Transaction, structure: boolean, startedAt: number): void {
    this.model.merge(transaction);
    this.#structureDue = false;
    this.#replaceDue = false;
    if (transaction.text === '') return;
    this.#commits++;
    const tookMs = performance.now() - startedAt;
    this.#options.onCommit?.({ elements: transaction.elements, tookMs, structure });
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

  #groupByOwner(ids: Iterable<string>): Map<string, string[]> {
    const groups = new Map<string, string[]>();
    for (const id of ids) {
      const owner = this.#options.book.get(id)?.owner.key ?? '';
      const group = groups.get(owner) ?? [];
      groups.set(owner, group);
      group.push(id);
    }
    return groups;
  }

  async #readAgain(): Promise<void> {
    this.#everythingDue = true;
    try {
      this.model.read(await readKernel(this.#options.nft));
    } catch (error) {
      if (!(error instanceof UnknownListingError)) throw error;
      this.#options.log.warn('UnknownTable', { error });
      this.model.read({ ip: undefined, ip6: undefined });
      this.#replaceDue = true;
    }
  }
}

function throwUnlessRefused(error: unknown): asserts error is NftError {
  if (!(error instanceof NftError) || error.failure === 'Unavailable') throw error;
}
