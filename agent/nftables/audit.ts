import type { Logger } from '../../kube/log.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import { inSlices } from '../slice-work.ts';
import type { Applier } from './applier.ts';
import { checkChains, findMissingChain } from './check-layout.ts';
import { elementsOf } from './diff-entry.ts';
import { FAMILIES } from './kernel-model.ts';
import { MAPS, SETS, TABLE } from './model.ts';
import { parseListing, UnknownListingError } from './parse-listing.ts';
import { type Nft, NftError } from './run-nft.ts';

export type AuditFinding = 'TableMissing' | 'ChainMissing' | 'ForeignChain' | 'ElementsDiffer';

export interface AuditOptions {
  applier: Applier;
  nft: Nft;
  intervalMs: number;
  log: Logger;
  onFinding?: (finding: AuditFinding) => void;
}

interface Unit {
  family: Family;
  kind: 'map' | 'set';
  name: string;
}

/** A look gives way to changes, but not for ever. */
const LONGEST_POSTPONEMENT = 10;

/**
 * Compares the kernel with the model at an interval, and repairs what differs: tables and chains each time, which costs
 * next to nothing; the elements of one map or set, in rotation. Rules are not read, since nft reads all elements with them:
 * once a rotation they are written anew, all at once, and are right afterwards whatever was done to them.
 */
export class Audit {
  readonly #options: AuditOptions;
  readonly #units: Unit[] = FAMILIES.flatMap((family) => [
    ...MAPS.map((name): Unit => ({ family, kind: 'map', name })),
    ...SETS.map((name): Unit => ({ family, kind: 'set', name })),
  ]);
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
    this.#timer = setTimeout(() => {
      this.#running = this.#turn().finally(() => this.start());
    }, this.#options.intervalMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #turn(): Promise<void> {
    const { applier, log } = this.#options;
    const unit = this.#units[this.#next % this.#units.length];
    if (unit === undefined) return;
    try {
      if (this.#next % this.#units.length === 0 && this.#postponed === 0) await applier.writeAgain('rules');
      const finding = await this.#findSomething(unit);
      if (finding === undefined) return;
      this.#next++;
      if (finding !== null) await this.#repair(finding, unit);
      await applier.tidyUp();
    } catch (error) {
      log.warn('AuditFailed', { error });
    }
  }

  /** Undefined: changes came in between. */
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
    await this.#options.applier.writeAgain(finding === 'ForeignChain' ? 'replace' : 'reset');
  }

  async #look(unit: Unit, signal?: AbortSignal): Promise<AuditFinding | null> {
    try {
      for (const family of FAMILIES) {
        const finding = await this.#lookAtChains(family, signal);
        if (finding !== null) return finding;
      }
      return await this.#lookAtElements(unit, signal);
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
