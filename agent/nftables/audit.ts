import type { Logger } from '../../kube/log.ts';
import { inSlices } from '../../kube/slice-work.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import type { Applier } from './applier.ts';
import { checkChains, findMissingChain } from './check-layout.ts';
import { RuleChecker } from './check-rules.ts';
import { countIn, findElement } from './find-element.ts';
import { type Extent, FAMILIES } from './kernel-model.ts';
import { MAPS, SETS } from './model.ts';
import { type ElementPlace, readElements } from './read-elements.ts';
import { readTable } from './read-rules.ts';
import { type Nft, NftError } from './run-nft.ts';

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

interface Difference {
  finding: AuditFinding;
  /** A chain, or an element. */
  what?: string | undefined;
}

/** Elements are listed for no more than this share of the time: the interval grows where that is what it takes. */
const MOST_WORK = 0.1;
/** A look at elements gives way to changes, but not for ever. */
const LONGEST_POSTPONEMENT = 10;
const PLACES: readonly ElementPlace[] = FAMILIES.flatMap((family) => [
  ...MAPS.map((name): ElementPlace => ({ family, kind: 'map', name })),
  ...SETS.map((name): ElementPlace => ({ family, kind: 'set', name })),
]);

/**
 * Compares the kernel with the model at an interval, and repairs what differs: tables, chains and rules between two
 * transactions, which takes some milliseconds, then the elements of one map after the other, giving way to changes.
 */
export class Audit {
  readonly #options: AuditOptions;
  readonly #rules: RuleChecker;
  /** Where the round of elements is. */
  #next = 0;
  #roundBeganAt = 0;
  #roundWorkMs = 0;
  #roundDueAt = 0;
  #postponed = 0;
  readonly #overflow = new Map<Family, number>();
  #newOverflow = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#rules = new RuleChecker(options.applier);
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
    try {
      const difference = await applier.exclusively(() => this.#lookAtTables());
      this.#options.onOverflow?.(this.#newOverflow);
      this.#newOverflow = 0;
      if (difference === null) await this.#continueRound();
      else await this.#repair(difference);
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

  /** Looks at maps and sets until all have been looked at, or a change comes in: then the rest is for the next turn. */
  async #continueRound(): Promise<void> {
    if (this.#next === 0) {
      // A timer may be early by a little.
      if (performance.now() < this.#roundDueAt - this.#options.intervalMs / 2) return;
      this.#roundBeganAt = performance.now();
      this.#roundWorkMs = 0;
    }
    for (let place = PLACES[this.#next]; place !== undefined; place = PLACES[++this.#next]) {
      const startedAt = performance.now();
      const difference = await this.#lookAside(place);
      this.#roundWorkMs += performance.now() - startedAt;
      if (difference === undefined || this.#stopped) return;
      if (difference === null) continue;
      await this.#repair(difference);
      break;
    }
    this.#next = 0;
    this.#roundDueAt = this.#roundBeganAt + Math.max(this.#options.intervalMs, this.#roundWorkMs / MOST_WORK);
  }

  /** Undefined: changes came in between. */
  async #lookAside(place: ElementPlace): Promise<Difference | null | undefined> {
    const { applier } = this.#options;
    const insists = this.#postponed >= LONGEST_POSTPONEMENT;
    const difference = insists
      ? await applier.exclusively(() => this.#lookAtElements(place))
      : await applier.aside((signal) => this.#lookAtElements(place, signal));
    this.#postponed = difference === undefined ? this.#postponed + 1 : 0;
    return difference;
  }

  async #lookAtElements(place: ElementPlace, signal?: AbortSignal): Promise<Difference | null> {
    const { applier, nft } = this.#options;
    if (!applier.isCertain) return null;
    const { family, name: map } = place;
    const get = (id: string) => applier.model.get(id);
    let found = 0;
    let wrong: string | undefined;
    try {
      await readElements(
        nft,
        place,
        (key, value) => {
          found++;
          if (findElement(get, { family, map, key }) !== value) wrong ??= key;
        },
        signal,
      );
    } catch (error) {
      if (isMissing(error)) return { finding: 'TableMissing', what: `${family} ${map}` };
      throw error;
    }
    let expected = 0;
    await inSlices(applier.model.entries(), (entry) => {
      if (entry.family === family) expected += countIn(entry, map);
    });
    if (wrong === undefined && found === expected) return null;
    const what = wrong ?? `${found} elements in the place of ${expected}`;
    return { finding: 'ElementsDiffer', what: `${family} ${map}: ${what}` };
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof NftError && error.failure === 'Missing';
}
