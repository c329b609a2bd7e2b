import type { Family } from '../endpoints/canonical-address.ts';
import { AFFINITY_FULL, TABLE } from './model.ts';
import { type Nft, NftError } from './run-nft.ts';

/** One chain as nft prints it. */
export interface ListedChain {
  /** What hooks it, as `nat prerouting -101`; empty for one that others lead to. */
  hook: string;
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
  const reader = new TableReader(family);
  const args = ['-a', '-t', '-y', 'list', ...what];
  await nft({ args, onText: (text) => reader.push(text) });
  if (reader.table === null) throw new NftError('Missing', `there is no table ${family} ${TABLE}`);
  return reader.table;
}

/** Takes what `nft -a -t -y list` prints of a table, or of all of a family, in pieces, cut anywhere. */
export class TableReader {
  /** Null: our table wasn't in it (yet). */
  table: ListedTable | null = null;
  readonly #beginning: string;
  #rest = '';
  #inside = false;
  #chain: ListedChain | null = null;
  #inCounter = false;
  /** The lines so far of a rule; one with a long set is printed on several. */
  #rule = '';

  constructor(family: Family) {
    this.#beginning = `table ${family} ${TABLE} {`;
  }

  push(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#readLine(line);
  }

  #readLine(line: string): void {
    if (line.startsWith(this.#beginning)) {
      this.table = { chains: new Map(), dormant: false, overflow: 0 };
      this.#inside = true;
    } else if (line === '}') this.#inside = false;
    else if (this.#inside && this.table !== null) this.#readOwn(line, this.table);
  }

  #readOwn(line: string, table: ListedTable): void {
    if (line === '\t}') this.#chain = null;
    else if (this.#chain !== null) this.#readRule(line, this.#chain);
    else if (line.startsWith('\tchain ')) {
      this.#chain = { hook: '', text: '', handles: [], sets: [] };
      table.chains.set(line.split(' ')[1] ?? '', this.#chain);
    } else if (line.startsWith(`\tcounter ${AFFINITY_FULL} `)) this.#inCounter = true;
    else if (this.#inCounter) {
      table.overflow = Number(/packets (\d+)/.exec(line)?.[1] ?? 0);
      this.#inCounter = false;
    } else if (line.startsWith('\tflags ')) table.dormant = line.includes('dormant');
  }

  #readRule(line: string, chain: ListedChain): void {
    const hook = /^\t\ttype (\w+) hook (\w+) priority (-?\d+);/.exec(line);
    if (hook !== null) {
      chain.hook = hook.slice(1).join(' ');
      chain.text += `${line}\n`;
      return;
    }
    const end = line.lastIndexOf(' # handle ');
    this.#rule += `${end < 0 ? line : line.slice(0, end)}\n`;
    if (end < 0) return;
    chain.text += this.#rule;
    chain.handles.push(Number(line.slice(end + 10)));
    chain.sets.push(this.#rule.split('{').length - 1);
    this.#rule = '';
  }
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
