import { run } from '../../support/run.ts';
import { B1 } from './places.ts';

const OWN = /^table \S+ fairlead(-announce)?$/;
/** Of somebody else on the node: sets, comments, counters, elements that time out. */
const THIRD_PARTY = `
table inet third-party {
  comment "not Fairlead's"
  counter seen { comment "by name" }
  set known { type ipv4_addr; flags interval; comment "networks"; elements = { 192.0.2.0/24 comment "test-net", 198.51.100.7 } }
  set recent { type ipv4_addr; flags dynamic, timeout; timeout 1h; }
  map places { typeof ip saddr : meta mark; elements = { 192.0.2.9 : 0x00000007 } }
  chain input {
    type filter hook input priority -2; policy accept;
    ip saddr @known counter name "seen" comment "counted"
    tcp dport 9 update @recent { ip saddr timeout 30s } counter accept
  }
  chain nat {
    type nat hook prerouting priority -99; policy accept;
    tcp dport 9999 redirect to :9998
  }
}
`;

const onNode = (...words: string[]) => run('ip', 'netns', 'exec', B1.name, ...words);

export async function addThirdParty(): Promise<void> {
  const path = '/run/third-party.nft';
  await run('sh', '-c', `cat > ${path} <<'END'\n${THIRD_PARTY}\nEND`);
  await onNode('nft', '-f', path);
}

/** Each table of the first node, as nft prints it without counters; ours are not among them. */
export async function readForeignTables(): Promise<Map<string, string>> {
  return new Map([...(await readTables())].filter(([name]) => !OWN.test(name)));
}

export async function readOwnTables(): Promise<Map<string, string>> {
  return new Map([...(await readTables())].filter(([name]) => OWN.test(name)));
}

async function readTables(): Promise<Map<string, string>> {
  const names = (await onNode('nft', 'list', 'tables')).trim().split('\n');
  const tables = new Map<string, string>();
  for (const name of names.filter((line) => line !== '')) {
    const [, family = '', table = ''] = name.split(' ');
    tables.set(name, await onNode('nft', '-s', 'list', 'table', family, table));
  }
  return tables;
}

/** Keys of one of our maps, of both families, sorted. */
export async function readKeys(map: string): Promise<string[]> {
  const listings = await Promise.all(
    ['ip', 'ip6'].map((family) => onNode('nft', '-j', 'list', 'map', family, 'fairlead', map)),
  );
  return listings.flatMap(keysOf).sort();
}

/** `10.96.0.1 . tcp . 80` of each element in nft's JSON: an element is [{concat: [...]}, verdict]. */
function keysOf(json: string): string[] {
  return Array.from(json.matchAll(/\{"concat": \[([^\]]*)\]\}/g), ([, parts = '']) =>
    parts.replaceAll('"', '').replaceAll(', ', ' . '),
  );
}
