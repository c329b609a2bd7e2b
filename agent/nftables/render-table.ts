import type { Family } from '../endpoints/canonical-address.ts';
import { AFFINITY_FULL, AFFINITY_SET, FIREWALL, REJECT_CHAIN, TABLE } from './model.ts';
import { cidrsOf, MOST_REMEMBERED, setMark, type TableOptions, toHex } from './table-options.ts';

const SERVICE_KEY = 'IP daddr . meta l4proto . th dport';
const NODEPORT_KEY = 'meta l4proto . th dport';
/** The data of a map that destinations are taken from must name tcp: nft 1.0.6 reads `th` back as another type. */
const TARGET = 'IP daddr . tcp dport';
/** A slot: numgen's type is all that counts here. */
const SLOT = 'numgen random mod 2';

/** The table with its maps and sets. Can be loaded over itself: what is there already is left as it is. */
export function renderMaps(family: Family, { remembered = MOST_REMEMBERED }: TableOptions): string[] {
  const own = `${family} ${TABLE}`;
  const addressType = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  // A client, and what stands for a port and an endpoint of it: see build-sticky-pool.ts.
  const affinityKey = (
    family === 'ip' ? [addressType, addressType, addressType] : [addressType, addressType]
  ).join(' . ');
  const typed = (text: string) => text.replaceAll('IP ', `${family} `);
  const map = (name: string, key: string, value: string) =>
    `add map ${own} ${name} { typeof ${typed(key)} : ${typed(value)}; }`;
  return [
    `add table ${own}`,
    map('services', SERVICE_KEY, 'verdict'),
    map('service-endpoints', `${SERVICE_KEY} . ${SLOT}`, TARGET),
    map('near-service-endpoints', `${SERVICE_KEY} . ${SLOT}`, TARGET),
    map('no-endpoint-services', SERVICE_KEY, 'verdict'),
    map('nodeports', NODEPORT_KEY, 'verdict'),
    map('nodeport-endpoints', `${NODEPORT_KEY} . ${SLOT}`, TARGET),
    map('near-nodeport-endpoints', `${NODEPORT_KEY} . ${SLOT}`, TARGET),
    map('no-endpoint-nodeports', NODEPORT_KEY, 'verdict'),
    map(FIREWALL, SERVICE_KEY, 'verdict'),
    `add set ${own} cluster-ips { type ${addressType}; }`,
    `add set ${own} nodeport-ips { type ${addressType}; }`,
    `add set ${own} announced-ips { type ${addressType}; }`,
    `add set ${own} hairpin { type ${addressType} . ${addressType}; }`,
    // Clients beyond its size are served, but not remembered, and counted.
    `add set ${own} ${AFFINITY_SET} { type ${affinityKey}; size ${remembered}; flags dynamic,timeout; }`,
    `add counter ${own} ${AFFINITY_FULL}`,
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
  const clusterCidrs = cidrsOf(family, options.clusterCidrs);
  const serviceCidrs = cidrsOf(family, options.serviceCidrs);
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
              `${family} daddr @cluster-ips ${family} saddr != { ${clusterCidrs.join(', ')} } ${setMark(options.markBit)}`,
            ]),
        `${service} vmap @services`,
        `${family} daddr @nodeport-ips meta l4proto . th dport vmap @nodeports`,
      ],
    },
    // Before any translation: the ranges are those of what the client dialled.
    hooked('firewall-prerouting', 'filter', 'prerouting', -111, [
      `ct state new ${service} vmap @${FIREWALL}`,
    ]),
    hooked('firewall-output', 'filter', 'output', -111, [`ct state new ${service} vmap @${FIREWALL}`]),
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
      // Announced addresses are on an interface here; the node's own processes are not to be reached by them.
      `ct state new ${family} daddr @announced-ips meta l4proto { tcp, udp, sctp } goto ${REJECT_CHAIN}`,
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
