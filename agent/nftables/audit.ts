import type { Logger } from '../../kube/log.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import { inSlices } from '../slice-work.ts';
import type { Applier } from './applier.ts';
import { checkChains, findMissingChain } from './check-layout.ts';
import { elementsOf } from './diff-entry.ts';
import { type Extent, FAMILIES } from './kernel-model.ts';
import { MAPS, SETS, TABLE } from './model.ts';
import { parseListing, UnknownListingError } from './parse-listing.ts';
import { findChangedRules, type Rules, readRules } from './read-rules.ts';
import { type Nft, NftError } from './run-nft.ts';

export type AuditFinding =
  | 'TableMissing'
  | 'ChainMissing'
  | 'ForeignChain'
  | 'RulesDiffer'
  | 'ElementsDiffer';

/** What it takes to mend it; everything, unless said here. */
const EXTENT_OF: Partial<Record<AuditFinding, Extent>> = { RulesDiffer: 'rules', ForeignChain: 'replace' };

export interface AuditOptions {
  applier: Applier;
  nft: Nft;
  intervalMs: number;
  log: Logger;
  onFinding?: (finding: AuditFinding) => void;
}

interface Unit {
  family: Family;
  kind: 'map' | 'set' | 'rules';
  name: string;
}

interface Reference {
  /** `ruleWrites` of the applier when it was taken. */
  ruleWrites: number;
  rules: Rules;
}

/** A look gives way to changes, but not for ever. */
const LONGEST_POSTPONEMENT = 10;
/** How long after rules were written it is recorded how nft prints them. */
const SETTLE_MS = 1_000;

/**
 * Compares the kernel with the model at an interval, and repairs what differs. Tables and chains are looked at each time,
 * which costs next to nothing; the elements of one map, or the rules of one table, in rotation. nft prints rules otherwise
 * than they were written: they are compared with what it printed right after we wrote them.
 */
export class Audit {
  readonly #options: AuditOptions;
  readonly #units: Unit[] = FAMILIES.flatMap((family) => [
    { family, kind: 'rules', name: TABLE },
    ...MAPS.map((name): Unit => ({ family, kind: 'map', name })),
    ...SETS.map((name): Unit => ({ family, kind: 'set', name })),
  ]);
  readonly #references = new Map<Family, Reference>();
  #next = 0;
  #postponed = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#stopped) return;
    const { intervalMs } = this.#options;
    const waitMs = this.#outdated() === undefined ? intervalMs : Math.min(SETTLE_MS, intervalMs);
    this.#timer = setTimeout(() => {
      this.#running = this.#turn().finally(() => this.start());
    }, waitMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #turn(): Promise<void> {
    try {
      const outdated = this.#outdated();
      if (outdated === undefined) await this.#auditNext();
      else await this.#takeReference(outdated);
    } catch (error) {
      this.#options.log.warn('AuditFailed', { error });
    }
  }

  #outdated(): Family | undefined {
    const { ruleWrites } = this.#options.applier;
    return FAMILIES.find((family) => this.#references.get(family)?.ruleWrites !== ruleWrites);
  }

  async #takeReference(family: Family): Promise<void> {
    const { applier, nft } = this.#options;
    await applier.aside(async (signal) => {
      const { ruleWrites } = applier;
      const rules = await readRules(nft, family, signal);
      this.#references.set(family, { ruleWrites, rules });
    });
  }

  async #auditNext(): Promise<void> {
    const { applier } = this.#options;
    const unit = this.#units[this.#next % this.#units.length];
    if (unit === undefined) return;
    const finding = await this.#findSomething(unit);
    // Changes came in between: the same one again next time.
    if (finding === undefined) return;
    this.#next++;
    if (finding !== null) await this.#repair(finding, unit);
    await applier.tidyUp();
  }

  async #findSomething(unit: Unit): Promise<AuditFinding | null | undefined> {
    const { applier } = this.#options;
    const insists = this.#postponed >= LONGEST_POSTPONEMENT;
    const finding = insists
      ? await applier.exclusively(() => this.#look(unit))
      : await applier.aside((signal) => this.#look(unit, signal));
    this.#postponed = finding === undefined ? this.#postponed + 1 : 0;
    return finding;
  }

  async #repair(finding: AuditFinding, unit: Unit): Promise<void> {
    this.#options.log.warn('KernelDiffers', { finding, ...unit });
    this.#options.onFinding?.(finding);
    await this.#options.applier.writeAgain(EXTENT_OF[finding] ?? 'reset');
  }

  async #look(unit: Unit, signal?: AbortSignal): Promise<AuditFinding | null> {
    try {
      for (const family of FAMILIES) {
        const finding = await this.#lookAtChains(family, signal);
        if (finding !== null) return finding;
      }
      return await (unit.kind === 'rules'
        ? this.#lookAtRules(unit.family, signal)
        : this.#lookAtElements(unit, signal));
    } catch (error) {
      if (error instanceof NftError && error.failure === 'Missing') return 'TableMissing';
      if (error instanceof UnknownListingError) return 'ElementsDiffer';
      throw error;
    }
  }

  async #lookAtChains(family: Family, signal?: AbortSignal): Promise<AuditFinding | null> {
    const { applier, nft } = this.#options;
    const chains = parseListing(await nft({ args: ['-j', 'list', 'chains', family], signal }), TABLE).chains;
    if (chains.size === 0) return 'TableMissing';
    if (checkChains(chains) !== null) return 'ForeignChain';
    if (findMissingChain(chains) !== null) return 'ChainMissing';
    if (applier.model.chains(family).some((chain) => !chains.has(chain))) return 'ChainMissing';
    applier.model.adoptChains(family, chains.keys());
    return null;
  }

  async #lookAtRules(family: Family, signal?: AbortSignal): Promise<AuditFinding | null> {
    const reference = this.#references.get(family);
    if (reference === undefined) return null;
    const found = await readRules(this.#options.nft, family, signal);
    return findChangedRules(reference.rules, found) === null ? null : 'RulesDiffer';
  }

  async #lookAtElements({ family, kind, name }: Unit, signal?: AbortSignal): Promise<AuditFinding | null> {
    const { applier, nft } = this.#options;
    const listing = parseListing(
      await nft({ args: ['-j', 'list', kind, family, TABLE, name], signal }),
      TABLE,
    );
    const found = listing.elements.get(name) ?? new Map<string, string | undefined>();
    let matched = 0;
    let missing = 0;
    await inSlices(applier.model.entries(), (entry) => {
      if (entry.family !== family) return;
      for (const element of elementsOf(entry)) {
        if (element.map !== name) continue;
        if (found.has(element.key) && found.get(element.key) === element.value) matched++;
        else missing++;
      }
    });
    return missing > 0 || matched !== found.size ? 'ElementsDiffer' : null;
  }
}
