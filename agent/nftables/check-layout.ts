import { TREATMENT_CHAIN } from './kernel-model.ts';
import { MAPS, SETS } from './model.ts';
import type { ParsedListing } from './parse-listing.ts';
import { fixedChains } from './render-table.ts';

/**
 * Whether a table holds what this version makes, by names and hooks: null, or what is wrong. Something missing is right: it
 * is added. Something more is another version's, or somebody's, and may divert packets: then the table is made anew.
 */
export function checkLayout({ elements, chains }: ParsedListing): string | null {
  const known = new Set([...MAPS, ...SETS]);
  for (const name of elements.keys()) if (!known.has(name)) return `${name} is no map or set of ours`;
  return checkChains(chains);
}

export function checkChains(chains: ParsedListing['chains']): string | null {
  const fixed = fixedChains();
  for (const [name, hook] of chains) {
    const expected = TREATMENT_CHAIN.test(name) ? '' : fixed.get(name);
    if (expected === undefined) return `${name} is no chain of ours`;
    if (expected !== hook) return `chain ${name} is hooked as "${hook}", not "${expected}"`;
  }
  return null;
}

/** The first fixed chain that isn't there, or null. */
export function findMissingChain(chains: ParsedListing['chains']): string | null {
  for (const name of fixedChains().keys()) if (!chains.has(name)) return name;
  return null;
}
