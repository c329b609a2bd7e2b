import type { Family } from '../endpoints/canonical-address.ts';
import { AFFINITY_FULL, TABLE } from './model.ts';
import { type Nft, NftError } from './run-nft.ts';

/** One chain as nft prints it. */
export interface ListedChain {
  /** What hooks it, and its rules, without handles. */
  text: string;
  /** Of its rules, in their order. */
  handles: number[];
  /** How many anonymous sets each of its rules has at most: those take handles too. */
  sets: number[];
}

/** A table as nft prints it, without its elements. */
export interface ListedTable {
  chains: Map<string, ListedChain>;
  /** The kernel skips all of it. */
  dormant: boolean;
  /** Connections whose client wasn't remembered, for want of room. */
  overflow: number;
}

/** Rules by chain. Chains that differ in their endpoint count only are one. */
export type Rules = Map<string, string>;

const COUNTED = /^((?:external-)?(?:port-)?(?:pick|near))-(\d+)$/;
/**
 * nft reads all elements of a table to print it, even without them: 0.9 s and 120 MiB at 60,000, 5 s and 580 MiB at
 * 300,000. Of all tables at once it reads none (7 ms), but prints everybody's.
 */
const MANY_ELEMENTS = 10_000;

/** Reads the chains and rules of our table. Throws an NftError, `Missing` when there is no table. */
export async function readTable(nft: Nft, family: Family, elements: number): Promise<ListedTable> {
  const what = elements > MANY_ELEMENTS ? ['ruleset', family] : ['table', family, TABLE];
  const table = parseTable(await nft({ args: ['-a', '-t', 'list', ...what] }), family);
  if (table === null) throw new NftError('Missing', `there is no table ${family} ${TABLE}`);
  return table;
}

/** Reads `nft -a -t list` of a table, or of all of a family; null: our table isn't in it. */
export function parseTable(text: string, family: Family): ListedTable | null {
  const start = text.search(new RegExp(`^table ${family} ${TABLE} \\{`, 'm'));
  if (start < 0) return null;
  const end = text.indexOf('\n}', start);
  const own = text.slice(start, end + 1);
  const chains = new Map<string, ListedChain>();
  for (const [, name = '', body = ''] of own.matchAll(
    /^\tchain (\S+) \{(?: # handle \d+)?\n([\s\S]*?)^\t\}$/gm,
  )) {
    chains.set(name, parseChain(body));
  }
  const [, overflow = '0'] =
    new RegExp(`^\tcounter ${AFFINITY_FULL} \\{[^\\n]*\\n\t\tpackets (\\d+) `, 'm').exec(own) ?? [];
  return { chains, dormant: /^\tflags [^\n]*dormant/m.test(own), overflow: Number(overflow) };
}

function parseChain(body: string): ListedChain {
  const handles: number[] = [];
  const sets: number[] = [];
  // A rule with a long set is printed on several lines; its handle is at its end.
  for (const [, rule = '', handle] of body.matchAll(/([\s\S]*?) # handle (\d+)\n/g)) {
    handles.push(Number(handle));
    sets.push(rule.split('{').length - 1);
  }
  return { text: body.replaceAll(/ # handle \d+$/gm, ''), handles, sets };
}

/**
 * Whether a run of rules is as one transaction made it, as far as their handles tell: so many, and one right after the
 * other. A rule that somebody changed, put in or made again has a later handle than the one after it.
 */
export function isAsMade(chains: readonly ListedChain[], counts: readonly number[]): boolean {
  if (chains.some(({ handles }, index) => handles.length !== counts[index])) return false;
  const rules = chains.flatMap(({ handles, sets }) =>
    handles.map((handle, i) => ({ handle, sets: sets[i] ?? 0 })),
  );
  return rules.every(({ handle, sets }, index) => {
    const before = rules[index - 1];
    return before === undefined || (handle > before.handle && handle <= before.handle + 1 + sets);
  });
}

/** What a chain is called where those that differ in their endpoint count only are one. */
export function generalName(name: string): string {
  return COUNTED.exec(name)?.[1] ?? name;
}

/** The rules of chains as they can be compared, those of different endpoint counts too. */
export function normalize(chains: ReadonlyMap<string, ListedChain>): Rules {
  const rules: Rules = new Map();
  for (const [name, { text }] of chains) {
    const [, treatment, count] = COUNTED.exec(name) ?? [];
    if (treatment === undefined) rules.set(name, text);
    else {
      const general = text.replaceAll(new RegExp(`(\\bmod |\\bgoto (?:port-)?pick-)${count}\\b`, 'g'), '$1N');
      const known = rules.get(treatment);
      // Two of one treatment that differ: one of them was changed. Kept apart, it is found to be unknown.
      rules.set(known === undefined || known === general ? treatment : name, general);
    }
  }
  return rules;
}

/** The first chain whose rules are not those of the reference, or null; and those that the reference doesn't know. */
export function findChangedRules(
  reference: Rules,
  found: Rules,
): { changed: string | null; unknown: string[] } {
  const unknown: string[] = [];
  for (const [chain, text] of found) {
    const expected = reference.get(chain);
    if (expected === undefined && !COUNTED.test(chain)) unknown.push(chain);
    else if (expected !== text) return { changed: chain, unknown };
  }
  return { changed: null, unknown };
}
