import type { Logger } from '../../kube/log.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import type { Applier } from './applier.ts';
import { type Difference, ElementAudit, isMissing } from './audit-elements.ts';
import { checkChains, findMissingChain } from './check-layout.ts';
import { RuleChecker } from './check-rules.ts';
import { type Extent, FAMILIES } from './kernel-model.ts';
import { readTable } from './read-rules.ts';
import type { Nft } from './run-nft.ts';

export type AuditFinding =
  | 'TableMissing'
  | 'TableDormant'
  | 'ChainMissing'
  | 'ForeignChain'
  | 'RulesDiffer'
  | 'ElementsDiffer'
  /** Found by a change that the kernel refused though it was right. */
  | 'ChangeRefused';

/** What it takes to mend it; everything, unless said here. */
const EXTENT_OF: Partial<Record<AuditFinding, Extent>> = { RulesDiffer: 'rules', ForeignChain: 'replace' };

export interface AuditOptions {
  applier: Applier;
  nft: Nft;
  /** So long after it was altered, the kernel is looked at again: all of it, unless that costs too much (see MOST_WORK). */
  intervalMs: number;
  log: Logger;
  onFinding?: (finding: AuditFinding) => void;
  /** So many connections with session affinity since the last look whose client wasn't remembered, for want of room. */
  onOverflow?: (connections: number) => void;
}

/**
 * Compares the kernel with the model at an interval, and repairs what differs: tables, chains and rules between two
 * transactions, which takes some milliseconds, then the elements of one map after the other.
 */
export class Audit {
  readonly #options: AuditOptions;
  readonly #rules: RuleChecker;
  readonly #elements: ElementAudit;
  readonly #overflow = new Map<Family, number>();
  #newOverflow = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#rules = new RuleChecker(options.applier);
    this.#elements = new ElementAudit(options);
  }

  start(): void {
    this.#startTimer(this.#options.intervalMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#elements.stop();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #startTimer(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      const startedAt = performance.now();
      this.#running = this.#turn().finally(() => {
        const { intervalMs } = this.#options;
        // What a turn takes is part of the interval, but for half of it: there is a pause after each.
        this.#startTimer(Math.max(intervalMs / 2, intervalMs - (performance.now() - startedAt)));
      });
    }, ms);
  }

  async #turn(): Promise<void> {
    const { applier, log } = this.#options;
    try {
      const atTables = await applier.exclusively(() => this.#lookAtTables());
      this.#options.onOverflow?.(this.#newOverflow);
      this.#newOverflow = 0;
      const difference = atTables ?? (await this.#elements.look());
      if (difference !== null) await this.#repair(difference);
      await applier.retryRefused();
      applier.collectSoon();
    } catch (error) {
      log.warn('AuditFailed', { error });
    }
  }

  async #repair({ finding, what }: Difference): Promise<void> {
    this.#options.log.warn('KernelDiffers', { finding, what });
    this.#options.onFinding?.(finding);
    await this.#options.applier.writeAgain(EXTENT_OF[finding] ?? 'reset');
  }

  async #lookAtTables(): Promise<Difference | null> {
    // What failed is about to be written anew; that finds out for itself.
    if (!this.#options.applier.isCertain) return null;
    try {
      for (const family of FAMILIES) {
        const difference = await this.#lookAtTable(family);
        if (difference !== null) return difference;
      }
      return null;
    } catch (error) {
      if (isMissing(error)) return { finding: 'TableMissing' };
      throw error;
    }
  }

  async #lookAtTable(family: Family): Promise<Difference | null> {
    const { applier, nft } = this.#options;
    const table = await readTable(nft, family, applier.model.elements);
    const { chains } = table;
    const foreign = checkChains(chains);
    if (foreign !== null) return { finding: 'ForeignChain', what: foreign };
    const missing =
      findMissingChain(chains) ?? applier.model.chains.namesOf(family).find((each) => !chains.has(each));
    if (missing !== undefined) return { finding: 'ChainMissing', what: missing };
    applier.model.chains.adopt(family, chains.keys());
    if (table.dormant) return { finding: 'TableDormant', what: family };
    this.#newOverflow += this.#countOverflow(family, table.overflow);
    const changed = await this.#rules.findChanged(family, chains);
    return changed === null ? null : { finding: 'RulesDiffer', what: `${family} ${changed}` };
  }

  /** The kernel's count starts again with a new table. */
  #countOverflow(family: Family, count: number): number {
    const before = this.#overflow.get(family) ?? 0;
    this.#overflow.set(family, count);
    return count < before ? count : count - before;
  }
}
