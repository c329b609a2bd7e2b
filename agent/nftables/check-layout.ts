import { comesAndGoes } from './describe-chains.ts';
import { fixedChains } from './render-table.ts';

/**
 * Whether a table has the chains that this version makes, by names and hooks: null, or what is wrong. One too many is
 * another version's, or somebody's, and may divert packets.
 */
export function checkChains(chains: ReadonlyMap<string, { hook: string }>): string | null {
  const fixed = fixedChains();
  for (const [name, { hook }] of chains) {
    const expected = comesAndGoes(name) ? '' : fixed.get(name);
    if (expected === undefined) return `${name} is no chain of ours`;
    if (expected !== hook) return `chain ${name} is hooked as "${hook}", not "${expected}"`;
  }
  return null;
}

/** The first fixed chain that isn't there, or null. */
export function findMissingChain(chains: ReadonlyMap<string, unknown>): string | null {
  for (const name of fixedChains().keys()) if (!chains.has(name)) return name;
  return null;
}
