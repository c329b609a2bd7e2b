import type { Family } from '../endpoints/canonical-address.ts';
import { TABLE } from './model.ts';
import type { Nft } from './run-nft.ts';

/** Rules by chain, as nft prints them. Chains that differ in their endpoint count only are one. */
export type Rules = Map<string, string>;

const COUNTED = /^((?:external-)?(?:port-)?(?:pick|near))-(\d+)$/;

/** Reads the rules of a table. nft reads all elements to print them: at 40,000 that takes 0.3 s. */
export async function readRules(nft: Nft, family: Family, signal?: AbortSignal): Promise<Rules> {
  return parseRules(await nft({ args: ['-t', 'list', 'table', family, TABLE], signal }));
}

export function parseRules(text: string): Rules {
  const rules: Rules = new Map();
  for (const [, name = '', body = ''] of text.matchAll(/^\tchain (\S+) \{\n([\s\S]*?)^\t\}$/gm)) {
    const [, treatment, count] = COUNTED.exec(name) ?? [];
    if (treatment === undefined) rules.set(name, body);
    else {
      const general = body.replaceAll(new RegExp(`(\\bmod |\\bgoto (?:port-)?pick-)${count}\\b`, 'g'), '$1N');
      const known = rules.get(treatment);
      // Two of one treatment that differ: one of them was changed. Kept apart, it is found to be unknown.
      rules.set(known === undefined || known === general ? treatment : name, general);
    }
  }
  return rules;
}

/** The first chain whose rules are not those of the reference, or null. What the reference doesn't know is taken in. */
export function findChangedRules(reference: Rules, found: Rules): string | null {
  for (const [chain, text] of found) {
    const expected = reference.get(chain);
    if (expected === undefined && !COUNTED.test(chain)) reference.set(chain, text);
    else if (expected !== text) return chain;
  }
  return null;
}
