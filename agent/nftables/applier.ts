import { ChainCollector } from './chain-collector.ts';
import { Committer, type CommitterOptions } from './committer.ts';
import type { Extent, KernelModel } from './kernel-model.ts';
import { Pace } from './pace.ts';
import type { Reading } from './read-elements.ts';
import type { NftError } from './run-nft.ts';
import type { TableOptions } from './table-options.ts';

export interface ApplierOptions extends CommitterOptions {
  /** What the book says now is about to be written; what it says later comes after it. */
  onTaken?: () => void;
  /** What the book said when it was last taken is in the kernel. */
  onTakenApplied?: () => void;
  /** Everything that the book says is in the kernel. Under changes that never stop, that may be never. */
  onApplied?: () => void;
  /** Nothing could be applied; it is tried again. */
  onFailure?: (error: unknown) => void;
  /** Chains that nothing leads to can't be deleted now. */
  onChainsBusy?: () => void;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;

/**
 * Takes the kernel in turns: one transaction at a time, of what changed while the one before ran; who only looks at the
 * kernel gives way. What fails is tried again, ever more slowly, and then as a whole.
 */
export class Applier {
  readonly #options: ApplierOptions;
  readonly #committer: Committer;
  readonly #collector: ChainCollector;
  readonly #pace = new Pace();
  #turn: Promise<unknown> = Promise.resolve();
  /** Work that waits for its turn. */
  #waiting = 0;
  #started = false;
  #scheduled = false;
  #stopped = false;
  #hasApplied = false;
  #waitingSince: number | undefined;
  /** Since when a change waits that the running transaction doesn't have. */
  #missedSince: number | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retryTimer: NodeJS.Timeout | undefined;
  /** Ends a look at the kernel. */
  #look: AbortController | undefined;
  /** What there is to apply ends it. */
  #lookGivesWay = false;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#committer = new Committer(options);
    this.#collector = new ChainCollector({
      ...options,
      chains: this.model.chains,
      isWaiting: () => this.#waitingSince !== undefined,
      isCertain: () => this.#committer.isCertain,
      exclusively: (work) => this.exclusively(work),
    });
  }

  get model(): KernelModel {
    return this.#committer.model;
  }

  /** Transactions that the kernel took. */
  get commits(): number {
    return this.#committer.commits;
  }

  /** Those of them that wrote all rules. */
  get ruleWrites(): number {
    return this.#committer.ruleWrites;
  }

  get table(): TableOptions {
    return this.#committer.table;
  }

  /** The kernel holds what the model says, as far as is known. */
  get isCertain(): boolean {
    return this.#committer.isCertain;
  }

  /** Owners that are left out, with nft's complaint. */
  get refused(): ReadonlyMap<string, NftError> {
    return this.#committer.refused;
  }

  /** Everything that the book said at some moment has been in the kernel. */
  get hasApplied(): boolean {
    return this.#hasApplied;
  }

  /** `performance.now()` since when a change waits; undefined when all is applied. */
  get waitingSince(): number | undefined {
    return this.#waitingSince;
  }

  /** From now on the book is whole, and is applied: now, and whenever `schedule` says that it changed. */
  start(): void {
    this.#started = true;
    this.schedule();
  }

  /** Something in the book changed. Returns at once; see `settled`. */
  schedule(): void {
    if (!this.#started || this.#stopped) return;
    const now = performance.now();
    this.#waitingSince ??= now;
    this.#missedSince ??= now;
    if (this.#lookGivesWay) this.#look?.abort();
    if (this.#scheduled) return;
    this.#scheduled = true;
    clearTimeout(this.#retryTimer);
    void this.exclusively(() => {
      this.#scheduled = false;
      return this.#applyAll();
    });
  }

  /** An owner changed: what was refused may pass now. */
  forgive(owner: string): void {
    this.#committer.forgive(owner);
  }

  /** CIDRs or the like changed. */
  setTable(table: TableOptions): void {
    this.#committer.setTable(table);
    this.schedule();
  }

  /** Writes rules, or everything, anew, whatever the kernel holds by now. Resolves when that has been tried. */
  writeAgain(extent: Extent): Promise<void> {
    this.#committer.require(extent);
    this.schedule();
    return this.settled();
  }

  /** Tries once more what was refused. */
  retryRefused(): Promise<void> {
    return this.exclusively(() => this.#committer.retryRefused());
  }

  /** Deletes chains that nothing leads to, by and by. */
  collectSoon(): void {
    if (!this.#stopped) this.#collector.schedule();
  }

  /** Resolves when everything scheduled before has been tried. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  /** Lets the transaction that runs finish. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#look?.abort();
    clearTimeout(this.#retryTimer);
    this.#collector.stop();
    await this.#turn;
  }

  /** Runs `work` while no transaction does. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const result = this.#turn.then(() => {
      this.#waiting--;
      return work();
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  /**
   * Runs `look`, which only reads from the kernel, beside transactions, one look at a time. If there is something to apply
   * before it has read, it is ended, and this returns undefined.
   */
  async aside<T>(look: (reading: Reading) => Promise<T>): Promise<T | undefined> {
    // Not `settled`, for whose end changes that never stop would keep it waiting.
    await this.exclusively(async () => {});
    if (this.#waitingSince !== undefined || this.#stopped) return undefined;
    this.#lookGivesWay = true;
    return await this.#runLook(look, () => {
      this.#lookGivesWay = false;
    });
  }

  /** As `aside`, but transactions wait until it has read. Undefined: that took longer than `longestMs`, and it was ended. */
  async insist<T>(look: (reading: Reading) => Promise<T>, longestMs: number): Promise<T | undefined> {
    let result: Promise<T | undefined> = Promise.resolve(undefined);
    await this.exclusively(async () => {
      if (this.#stopped) return;
      const { promise: read, resolve: hasRead } = Promise.withResolvers<void>();
      result = this.#runLook(look, hasRead);
      result.then(
        () => hasRead(),
        () => hasRead(),
      );
      const timer = setTimeout(() => this.#look?.abort(), longestMs);
      await read;
      clearTimeout(timer);
    });
    return await result;
  }

  async #runLook<T>(look: (reading: Reading) => Promise<T>, hasRead: () => void): Promise<T | undefined> {
    const controller = new AbortController();
    const { signal } = controller;
    this.#look = controller;
    try {
      const result = await look({ signal, hasRead });
      return signal.aborted ? undefined : result;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    } finally {
      this.#look = undefined;
      this.#lookGivesWay = false;
    }
  }

  async #applyAll(): Promise<void> {
    if (this.#stopped) return;
    try {
      do await this.#applyOnce();
      while (!this.#stopped && this.#committer.isDue && this.#waiting === 0);
      // Who waits comes first: changes that never end would keep the audit from ever looking.
      if (this.#committer.isDue) this.schedule();
      else this.#options.onApplied?.();
    } catch (error) {
      this.#options.log.error('ApplyFailed', { error, retryMs: this.#retryMs });
      this.#options.onFailure?.(error);
      if (this.#stopped) return;
      this.#retryTimer = setTimeout(() => this.schedule(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    }
  }

  async #applyOnce(): Promise<void> {
    if (this.#committer.isDue) await this.#pace.next();
    this.#missedSince = undefined;
    this.#options.onTaken?.();
    if (this.#committer.isDue) await this.#committer.commit();
    this.#waitingSince = this.#missedSince;
    this.#retryMs = FIRST_RETRY_MS;
    this.#hasApplied = true;
    this.#options.onTakenApplied?.();
    this.collectSoon();
  }
}
