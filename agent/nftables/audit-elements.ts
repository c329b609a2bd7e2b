import type { Logger } from '../../kube/log.ts';
import { inSlices } from '../../kube/slice-work.ts';
import type { Applier } from './applier.ts';
import type { AuditFinding } from './audit.ts';
import { countIn, findElement } from './find-element.ts';
import { FAMILIES } from './kernel-model.ts';
import { MAPS, SETS } from './model.ts';
import type { ModelSnapshot } from './model-snapshot.ts';
import { type ElementPlace, type Reading, readElements } from './read-elements.ts';
import { type Nft, NftError } from './run-nft.ts';

export interface Difference {
  finding: AuditFinding;
  /** A chain, or an element. */
  what?: string | undefined;
}

export interface ElementAuditOptions {
  applier: Applier;
  nft: Nft;
  intervalMs: number;
  log: Logger;
}

/** Elements are listed for no more than this share of the time: the interval grows where that is what it takes. */
const MOST_WORK = 0.1;
/** What nft reads in some 40 ms: a change may as well wait for that. */
const FEW_ELEMENTS = 2_000;
/** Looks at more give way to changes so often, then changes wait until nft has read. */
const TRIES = 4;
/** So long, and ever longer: whoever else changes rules makes nft read anew. */
const FIRST_HOLD_MS = 10_000;
const LONGEST_HOLD_MS = 60_000;
const PLACES: readonly ElementPlace[] = FAMILIES.flatMap((family) => [
  ...MAPS.map((name): ElementPlace => ({ family, kind: 'map', name })),
  ...SETS.map((name): ElementPlace => ({ family, kind: 'set', name })),
]);

/**
 * Looks at the elements of all maps and sets, one after the other. What nft has read is compared with what the model held
 * when it began to, so that changes can go on while it prints.
 */
export class ElementAudit {
  readonly #options: ElementAuditOptions;
  /** By place: how many elements the last look found. */
  readonly #sizes = new Map<ElementPlace, number>();
  /** By place where the last look was given up: how long changes wait for the next one. */
  readonly #holds = new Map<ElementPlace, number>();
  #dueAt = 0;
  #workMs = 0;
  #stopped = false;

  constructor(options: ElementAuditOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The first difference, if it is time to look. What can't be read is passed over, and thrown in the end. */
  async look(): Promise<Difference | null> {
    const { intervalMs } = this.#options;
    const beganAt = performance.now();
    // A timer may be early by a little.
    if (beganAt < this.#dueAt - intervalMs / 2) return null;
    this.#workMs = 0;
    try {
      return await this.#lookAtAll();
    } finally {
      this.#dueAt = beganAt + Math.max(intervalMs, this.#workMs / MOST_WORK);
    }
  }

  async #lookAtAll(): Promise<Difference | null> {
    const failures: unknown[] = [];
    for (const place of PLACES) {
      if (this.#stopped) return null;
      try {
        const difference = await this.#lookAt(place);
        if (difference !== null) return difference;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return null;
  }

  async #lookAt(place: ElementPlace): Promise<Difference | null> {
    const { applier, log } = this.#options;
    const look = (reading: Reading) => this.#compare(place, reading);
    const size = this.#sizes.get(place) ?? applier.model.elements;
    for (let tries = size > FEW_ELEMENTS ? TRIES : 1; tries > 0 && !this.#stopped; tries--) {
      const difference = await applier.aside(look);
      if (difference !== undefined) return difference;
    }
    const holdMs = this.#holds.get(place) ?? FIRST_HOLD_MS;
    const difference = await applier.insist(look, holdMs);
    if (difference !== undefined || this.#stopped) {
      this.#holds.delete(place);
      return difference ?? null;
    }
    log.warn('ElementsNotRead', { family: place.family, map: place.name, waitedMs: holdMs });
    this.#holds.set(place, Math.min(holdMs * 2, LONGEST_HOLD_MS));
    return null;
  }

  /** To be called while no transaction runs. */
  async #compare(place: ElementPlace, reading: Reading): Promise<Difference | null> {
    const { model, isCertain } = this.#options.applier;
    // What failed is about to be written anew.
    if (!isCertain) return null;
    const startedAt = performance.now();
    const snapshot = model.takeSnapshot();
    try {
      const wrong = await this.#findWrong(place, snapshot, reading);
      if (wrong === null || snapshot.isOvertaken) return null;
      return { finding: 'ElementsDiffer', what: `${place.family} ${place.name}: ${wrong}` };
    } catch (error) {
      if (!isMissing(error)) throw error;
      return { finding: 'TableMissing', what: `${place.family} ${place.name}` };
    } finally {
      model.dropSnapshot();
      this.#workMs += performance.now() - startedAt;
    }
  }

  /** The first element that isn't as it was written, or null. */
  async #findWrong(place: ElementPlace, snapshot: ModelSnapshot, reading: Reading): Promise<string | null> {
    const { family, name: map } = place;
    const get = (id: string) => snapshot.get(id);
    let found = 0;
    let wrong: string | null = null;
    const visit = (key: string, value: string) => {
      found++;
      if (findElement(get, { family, map, key }) !== value) wrong ??= key;
    };
    await readElements(this.#options.nft, place, visit, reading);
    this.#sizes.set(place, found);
    let expected = 0;
    await inSlices(snapshot.ids, (id) => {
      const entry = snapshot.get(id);
      if (entry?.family === family) expected += countIn(entry, map);
    });
    return wrong ?? (found === expected ? null : `${found} elements in the place of ${expected}`);
  }
}

/** What was asked for isn't in the kernel. */
export function isMissing(error: unknown): boolean {
  return error instanceof NftError && error.failure === 'Missing';
}
