import type { Family } from '../endpoints/canonical-address.ts';
import type { Chain } from './describe-chains.ts';
import {
  AFFINITY_FULL,
  AFFINITY_SET,
  ENDPOINTS_OF,
  type FrontendMap,
  NEAR_ENDPOINTS_OF,
  type StickyEndpoint,
  type StickyPool,
  TABLE,
} from './model.ts';
import { cidrsOf, setMark, type TableOptions } from './table-options.ts';

const KEY_OF: Readonly<Record<FrontendMap, string>> = {
  services: 'IP daddr . meta l4proto . th dport',
  nodeports: 'meta l4proto . th dport',
};

/** The commands that make a chain, or make it anew. */
export function renderChain(family: Family, chain: Chain, options: TableOptions): string[] {
  const own = `${family} ${TABLE} ${chain.name}`;
  const rules = rulesOf(family, chain, options);
  return [`add chain ${own}`, `flush chain ${own}`, ...rules.map((rule) => `add rule ${own} ${rule}`)];
}

function rulesOf(family: Family, chain: Chain, options: TableOptions): string[] {
  const markIt = setMark(options.markBit);
  switch (chain.kind) {
    case 'pool':
      return renderPool(family, chain);
    case 'external':
      return [markIt, `goto ${chain.to}`];
    case 'local':
      // Traffic that starts in the cluster is never told to stay on the node (datapath of kube-proxy: "short-circuit").
      return [
        ...cidrsOf(family, options.clusterCidrs).map((cidr) => `${family} saddr ${cidr} goto ${chain.any}`),
        `fib saddr type local ${markIt}`,
        `fib saddr type local goto ${chain.any}`,
        ...(chain.near === null ? [] : [`goto ${chain.near}`]),
      ];
    case 'affinity':
      return renderAffinity(family, chain.pool);
    case 'found':
      return renderSearch(family, chain.part.members);
    case 'sticky':
      return renderSticky(family, chain.endpoint);
    case 'ranges':
      return [...chain.cidrs.map((cidr) => `${family} saddr ${cidr} return`), 'drop'];
  }
}

/**
 * nft wants one protocol known before a port is translated. Each lookup of a packet sees the maps as they are by then: a
 * transaction that comes between this one and the one that led here may have taken the slot away, and then the packet
 * would be refused. The first slot is there as long as there is an endpoint; no other packet comes to that rule. A
 * generator of one number stands for 0, since nft takes no constant in a key.
 */
function renderPool(
  family: Family,
  { place, near, count }: { place: FrontendMap; near: boolean; count: number },
): string[] {
  const key = KEY_OF[place].replaceAll('IP ', `${family} `);
  const map = (near ? NEAR_ENDPOINTS_OF : ENDPOINTS_OF)[place];
  return (count > 1 ? [count, 1] : [1]).flatMap((slots) =>
    ['tcp', 'udp', 'sctp'].map(
      (protocol) =>
        `meta l4proto ${protocol} dnat ${family} to ${key} . numgen random mod ${slots} map @${map}`,
    ),
  );
}

/** To where the client has been; else to any, each with the same chance. */
function renderAffinity(family: Family, { members, parts }: StickyPool): string[] {
  const search =
    parts.length === 0 ? renderSearch(family, members) : parts.map(({ chain }) => `jump ${chain}`);
  return [...search, renderChoice(members)];
}

function renderSearch(family: Family, members: readonly StickyEndpoint[]): string[] {
  return members.map(
    ({ chain, id }) => `${family} saddr . ${asExpression(family, id)} @${AFFINITY_SET} goto ${chain}`,
  );
}

/** In one rule: a transaction takes as long as it has rules, and a hundred elements of a map cost less than one of them. */
function renderChoice(members: readonly StickyEndpoint[]): string {
  const [first] = members;
  if (members.length === 1) return `goto ${first?.chain}`;
  const choices = members.map(({ chain }, index) => `${index} : goto ${chain}`);
  return `numgen random mod ${members.length} vmap { ${choices.join(', ')} }`;
}

/** A rule whose set has no room for another client ends there: the next one serves it all the same, and counts. */
function renderSticky(family: Family, { id, address, port, protocol, seconds }: StickyEndpoint): string[] {
  const target = family === 'ip' ? `${address}:${port}` : `[${address}]:${port}`;
  const dnat = `meta l4proto ${protocol} dnat ${family} to ${target}`;
  return [
    `update @${AFFINITY_SET} { ${family} saddr . ${id} timeout ${seconds}s } ${dnat}`,
    `counter name ${AFFINITY_FULL} ${dnat}`,
  ];
}

/** nft takes no bare constant as a part of a key that is looked up, but any field with all its bits replaced. */
function asExpression(family: Family, id: string): string {
  const zero = family === 'ip' ? '0.0.0.0' : '::';
  return id
    .split(' . ')
    .map((part) => `${family} daddr & ${zero} ^ ${part}`)
    .join(' . ');
}
