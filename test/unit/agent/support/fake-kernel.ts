import { type Nft, NftError } from '../../../../agent/nftables/run-nft.ts';

interface Table {
  /** Elements by map or set; '' stands for the value of a set's member. */
  holders: Map<string, Map<string, string>>;
  /** Rules by chain. */
  chains: Map<string, string[]>;
}

type Tables = Map<string, Table>;

/**
 * nftables in memory, as far as the agent's own texts go: every input is taken whole or not at all, and what refers to
 * something that isn't there, deletes what isn't there or gives a key a second value is refused.
 */
export class FakeKernel {
  tables: Tables = new Map();
  /** Inputs that were taken. */
  readonly taken: string[] = [];
  /** Everything that was run. */
  readonly runs: { args: readonly string[]; input: string }[] = [];
  /** Refuses whatever holds this text, as a kernel would that minds it. */
  minds: string | undefined;
  /** Answers nothing but this. */
  down: NftError | undefined;

  readonly nft: Nft = async ({ args, input = '' }) => {
    this.runs.push({ args, input });
    if (this.down !== undefined) throw this.down;
    if (this.minds !== undefined && input.includes(this.minds)) throw refusal(`minds ${this.minds}`);
    const tables = structuredClone(this.tables);
    for (const line of input.split('\n')) if (line !== '') apply(tables, line);
    checkReferences(tables);
    if (args[0] === '-c') return '';
    this.tables = tables;
    this.taken.push(input);
    return '';
  };

  /** Where each frontend leads: `ip services 10.96.0.1 . tcp . 80` to treatment and endpoints in order; sets' members to ''. */
  meaning(): Map<string, string> {
    const meaning = new Map<string, string>();
    for (const [family, { holders }] of this.tables) {
      for (const set of ['cluster-ips', 'nodeport-ips', 'announced-ips', 'hairpin']) {
        for (const key of holders.get(set)?.keys() ?? []) meaning.set(`${family} ${set} ${key}`, '');
      }
      for (const [place, targets, refused] of [
        ['services', 'service-endpoints', 'no-endpoint-services'],
        ['nodeports', 'nodeport-endpoints', 'no-endpoint-nodeports'],
      ] as const) {
        for (const [key, verdict] of holders.get(place) ?? []) {
          const [, treatment = 'pick', count = ''] =
            /^goto (?:(external)-)?(?:port-)?pick-(\d+)$/.exec(verdict) ?? [];
          const endpoints = Array.from({ length: Number(count) }, (_, slot) => {
            const endpoint = holders.get(targets)?.get(`${key} . ${slot}`);
            if (endpoint === undefined) throw new Error(`${key} has no endpoint in slot ${slot}`);
            return endpoint;
          });
          meaning.set(`${family} ${place} ${key}`, `${treatment}: ${endpoints.sort().join(', ')}`);
        }
        for (const key of holders.get(refused)?.keys() ?? []) {
          if (meaning.has(`${family} ${place} ${key}`)) throw new Error(`${key} is served and refused`);
          meaning.set(`${family} ${place} ${key}`, 'refused');
        }
      }
    }
    return meaning;
  }

  /** Elements in all maps and sets. */
  get size(): number {
    return [...this.tables.values()]
      .flatMap(({ holders }) => [...holders.values()])
      .reduce((sum, holder) => sum + holder.size, 0);
  }
}

function refusal(message: string): NftError {
  return new NftError('Refused', message);
}

function apply(tables: Tables, line: string): void {
  const [, verb = '', kind = '', family = '', , rest = ''] =
    /^(add|delete|flush) (\w+) (ip6?) (fairlead) ?(.*)$/.exec(line) ?? [];
  if (verb === '') throw refusal(`can't parse: ${line}`);
  if (kind === 'table') {
    if (verb === 'add' && !tables.has(family)) tables.set(family, { holders: new Map(), chains: new Map() });
    else if (verb === 'delete' && !tables.delete(family)) throw refusal(`no table ${family}`);
    return;
  }
  const table = tables.get(family);
  if (table === undefined) throw refusal(`no table ${family}`);
  const [name = ''] = rest.split(' ');
  const text = rest.slice(name.length + 1);
  if (kind === 'counter') return;
  if (kind === 'element') applyElements(table, verb, name, text);
  else if (kind === 'map' || kind === 'set') applyHolder(table, verb, name);
  else applyChain(table, verb, kind, name, text);
}

function applyHolder({ holders }: Table, verb: string, name: string): void {
  if (verb === 'add') holders.set(name, holders.get(name) ?? new Map());
  else if (verb === 'flush' && holders.has(name)) holders.set(name, new Map());
  else throw refusal(`no map or set ${name}`);
}

function applyChain(table: Table, verb: string, kind: string, name: string, text: string): void {
  const { chains } = table;
  if (verb === 'add' && kind === 'chain') chains.set(name, chains.get(name) ?? []);
  else if (!chains.has(name)) throw refusal(`no chain ${name}`);
  else if (kind === 'rule') chains.get(name)?.push(text);
  else if (verb === 'flush') chains.set(name, []);
  else if (isLedTo(table, name)) throw refusal(`chain ${name} is busy`);
  else chains.delete(name);
}

function isLedTo({ holders, chains }: Table, chain: string): boolean {
  const texts = [...chains.values(), ...[...holders.values()].map((holder) => [...holder.values()])].flat();
  return texts.some((text) => chainsIn(text).includes(chain));
}

function chainsIn(text: string): string[] {
  return [...text.matchAll(/(?:goto|jump) ([\w-]+)/g)].map(([, chain = '']) => chain);
}

function applyElements({ holders }: Table, verb: string, name: string, text: string): void {
  const holder = holders.get(name);
  if (holder === undefined) throw refusal(`no map or set ${name}`);
  for (const element of text.replace(/^\{ | \}$/g, '').split(', ')) {
    const [key = '', value = ''] = element.split(' : ');
    if (verb === 'delete') {
      if (!holder.delete(key)) throw refusal(`no element ${key} in ${name}`);
    } else if ((holder.get(key) ?? value) !== value) throw refusal(`${key} in ${name} has a value already`);
    else holder.set(key, value);
  }
}

function checkReferences(tables: Tables): void {
  for (const { holders, chains } of tables.values()) {
    const verdicts = [...holders.values()].flatMap((holder) => [...holder.values()]);
    const rules = [...chains.values()].flat();
    for (const text of [...verdicts, ...rules]) {
      const missing = chainsIn(text).find((chain) => !chains.has(chain));
      if (missing !== undefined) throw refusal(`${text}: no chain ${missing}`);
      const [, map] = /@(\S+)/.exec(text) ?? [];
      if (map !== undefined && !holders.has(map)) throw refusal(`${text}: no map ${map}`);
    }
  }
}
