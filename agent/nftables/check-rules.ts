import { inSlices } from '../../kube/slice-work.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import type { Applier } from './applier.ts';
import { comesAndGoes } from './describe-chains.ts';
import {
  findChangedRules,
  generalName,
  isAsMade,
  type ListedChain,
  normalize,
  type Rules,
} from './read-rules.ts';
import { fixedChains, renderFixedChains } from './render-table.ts';

interface Reference {
  /** `ruleWrites` of the applier when it was taken. */
  ruleWrites: number;
  rules: Rules;
}

/**
 * Tells whether rules are still those that we wrote. nft prints rules otherwise than they were written, so they are compared
 * with what it printed when it was first asked; and that is believed only if handles tell that nobody wrote in between.
 */
export class RuleChecker {
  readonly #applier: Applier;
  readonly #references = new Map<Family, Reference>();

  constructor(applier: Applier) {
    this.#applier = applier;
  }

  /** The first chain whose rules aren't ours, or null. To be called while no transaction runs. */
  async findChanged(family: Family, chains: ReadonlyMap<string, ListedChain>): Promise<string | null> {
    const { ruleWrites } = this.#applier;
    const rules = normalize(chains);
    const reference = this.#references.get(family);
    const known = reference?.ruleWrites === ruleWrites ? reference.rules : new Map<string, string>();
    const { changed, unknown } = findChangedRules(known, rules);
    if (known.size > 0 && changed !== null) return changed;
    const remade = await this.#findRemade(family, chains, new Set(known.size > 0 ? unknown : rules.keys()));
    if (remade === null) this.#references.set(family, { ruleWrites, rules });
    return remade;
  }

  async #findRemade(
    family: Family,
    chains: ReadonlyMap<string, ListedChain>,
    unknown: ReadonlySet<string>,
  ): Promise<string | null> {
    const fixed = [...fixedChains().keys()];
    // One transaction writes those one after the other.
    const [first = ''] = fixed;
    if (unknown.has(first) && !this.#areFixedAsMade(family, fixed, chains)) return first;
    let remade: string | null = null;
    await inSlices(chains, ([name, chain]) => {
      if (remade !== null || !comesAndGoes(name)) return;
      if (!unknown.has(generalName(name)) && !unknown.has(name)) return;
      const count = this.#applier.model.ruleCount(family, name, this.#applier.table);
      // Undefined: an agent before us left it, and nothing leads there.
      if (count !== undefined && !isAsMade([chain], [count])) remade = name;
    });
    return remade;
  }

  #areFixedAsMade(
    family: Family,
    names: readonly string[],
    chains: ReadonlyMap<string, ListedChain>,
  ): boolean {
    const lines = renderFixedChains(family, this.#applier.table);
    const counts = names.map(
      (name) => lines.filter((line) => line.startsWith('add rule ') && line.split(' ')[4] === name).length,
    );
    return isAsMade(
      names.flatMap((name) => chains.get(name) ?? []),
      counts,
    );
  }
}
