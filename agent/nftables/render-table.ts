import type { Family } from '../endpoints/canonical-address.ts';
import { chainOf, REJECT_CHAIN, TABLE } from './model.ts';

/** What the rules depend on beside Services; a change of it is a change of rules. */
export interface TableOptions {
  /** Pods' own addresses, which reach ClusterIPs unmasqueraded. Without any of a family, nothing is masqueraded for it. */
  clusterCidrs: readonly string[];
  /** Where ClusterIPs come from: an address in them that no Service has is dropped. */
  serviceCidrs: readonly string[];
  /** One bit of the packet mark, ours alone. kube-proxy has 0x4000. */
  markBit: number;
}

const SERVICE_KEY = 'IP daddr . meta l4proto . th dport';
const NODEPORT_KEY = 'meta l4proto . th dport';
/** The data of a map that destinations are taken from must name tcp: nft 1.0.6 reads `th` back as another type. */
const TARGET = 'IP daddr . tcp dport';
/** A slot: numgen's type is all that counts here. */
const SLOT = 'numgen random mod 2';

/** The table with its maps and sets. Can be loaded over itself: what is there already is left as it is. */
export function renderMaps(family: Family): string[] {
  const own = `${family} ${TABLE}`;
  const addressType = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  const typed = (text: string) => text.replaceAll('IP ', `${family} `);
  const map = (name: string, key: string, value: string) =>
    `add map ${own} ${name} { typeof ${typed(key)} : ${typed(value)}; }`;
  return [
    `add table ${own}`,
    map('services', SERVICE_KEY, 'verdict'),
    map('service-endpoints', `${SERVICE_KEY} . ${SLOT}`, TARGET),
    map('no-endpoint-services', SERVICE_KEY, 'verdict'),
    map('nodeports', NODEPORT_KEY, 'verdict'),
    map('nodeport-endpoints', `${NODEPORT_KEY} . ${SLOT}`, TARGET),
    map('no-endpoint-nodeports', NODEPORT_KEY, 'verdict'),
    `add set ${own} cluster-ips { type ${addressType}; }`,
    `add set ${own} nodeport-ips { type ${addressType}; }`,
    `add set ${own} hairpin { type ${addressType} . ${addressType}; }`,
  ];
}

/**
 * The chains that don't depend on endpoint counts; their rules are written anew.
 *
 * Priorities are one before kube-proxy's: of two chains that would translate an address, the first one does.
 */
export function renderFixedChains(family: Family, options: TableOptions): string[] {
  const own = `${family} ${TABLE}`;
  const chains = buildChains(family, options);
  return [
    ...chains.map(({ name, hook }) => `add chain ${own} ${name}${hook === undefined ? '' : ` { ${hook} }`}`),
    ...chains.map(({ name }) => `flush chain ${own} ${name}`),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => `add rule ${own} ${name} ${rule}`)),
  ];
}

interface Chain {
  name: string;
  hook?: string;
  rules: string[];
}

function buildChains(family: Family, options: TableOptions): Chain[] {
  const hooked = (name: string, type: string, hook: string, priority: number, rules: string[]): Chain => ({
    name,
    hook: `type ${type} hook ${hook} priority ${priority}; policy accept;`,
    rules,
  });
  const mark = toHex(options.markBit);
  const ofFamily = (cidrs: readonly string[]) =>
    cidrs.filter((cidr) => cidr.includes(':') === (family === 'ip6'));
  const clusterCidrs = ofFamily(options.clusterCidrs);
  const serviceCidrs = ofFamily(options.serviceCidrs);
  const service = `${family} daddr . meta l4proto . th dport`;
  const checkService = `ct state new ${service} vmap @no-endpoint-services`;
  const checkClusterIp = [
    `ct state new ${family} daddr @cluster-ips goto ${REJECT_CHAIN}`,
    ...(serviceCidrs.length === 0
      ? []
      : [`ct state new ${family} daddr { ${serviceCidrs.join(', ')} } drop`]),
  ];
  return [
    // A reset reaches a caller at once; ICMP errors are rationed, and IPv6 callers miss the first one: docs/adr/0007.
    { name: REJECT_CHAIN, rules: ['meta l4proto tcp reject with tcp reset', 'reject'] },
    {
      name: 'dispatch',
      rules: [
        ...(clusterCidrs.length === 0
          ? []
          : [
              `${family} daddr @cluster-ips ${family} saddr != { ${clusterCidrs.join(', ')} } ${setMark(mark)}`,
            ]),
        `${service} vmap @services`,
        `${family} daddr @nodeport-ips meta l4proto . th dport vmap @nodeports`,
      ],
    },
    hooked('nat-prerouting', 'nat', 'prerouting', -101, ['jump dispatch']),
    hooked('nat-output', 'nat', 'output', -101, ['jump dispatch']),
    hooked('nat-postrouting', 'nat', 'postrouting', 99, [
      // Cleared first: a packet that is wrapped (VXLAN) comes by again with its mark (kubernetes/kubernetes#92035).
      `meta mark & ${mark} != 0 meta mark set meta mark ^ ${mark} masquerade fully-random`,
      `ct status dnat ${family} saddr . ${family} daddr @hairpin masquerade fully-random`,
    ]),
    hooked('filter-input', 'filter', 'input', -1, [
      checkService,
      `ct state new ${family} daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports`,
    ]),
    hooked('filter-forward', 'filter', 'forward', -1, [checkService, ...checkClusterIp]),
    hooked('filter-output', 'filter', 'output', -1, [checkService, ...checkClusterIp]),
  ];
}

/** The fixed chains, with the hook and priority of those that have one: `nat prerouting -101`. */
export function fixedChains(): Map<string, string> {
  const chains = buildChains('ip', { clusterCidrs: [], serviceCidrs: [], markBit: 1 });
  return new Map(
    chains.map(({ name, hook }) => [
      name,
      /^type (\w+) hook (\w+) priority (-?\d+)/
        .exec(hook ?? '')
        ?.slice(1)
        .join(' ') ?? '',
    ]),
  );
}

/** The rules of a chain that `chainOf` names: the only ones that come and go with Services. */
export function renderTreatmentChain(family: Family, name: string, markBit: number): string[] {
  const own = `${family} ${TABLE}`;
  const [treatment, digits] = name.split('-');
  const count = Number(digits);
  const choose = `numgen random mod ${count} map`;
  const markIt = setMark(toHex(markBit));
  const toService = dnat(family, `${family} daddr . meta l4proto . th dport . ${choose} @service-endpoints`);
  const toNodePort = dnat(family, `meta l4proto . th dport . ${choose} @nodeport-endpoints`);
  const rules =
    treatment === 'pick'
      ? toService
      : treatment === 'external'
        ? [markIt, `goto ${chainOf('pick', count)}`]
        : [markIt, ...toNodePort];
  return [
    `add chain ${own} ${name}`,
    `flush chain ${own} ${name}`,
    ...rules.map((rule) => `add rule ${own} ${name} ${rule}`),
  ];
}

/** nft wants one protocol known before a port is translated. */
function dnat(family: Family, lookup: string): string[] {
  return ['tcp', 'udp', 'sctp'].map((protocol) => `meta l4proto ${protocol} dnat ${family} to ${lookup}`);
}

function setMark(mark: string): string {
  return `meta mark set meta mark | ${mark}`;
}

function toHex(bit: number): string {
  return `0x${bit.toString(16)}`;
}
