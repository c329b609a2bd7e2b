import type { Family } from '../endpoints/canonical-address.ts';

export const TABLE = 'fairlead';

/** Where an address and port, or a port of the node, lead. */
export type FrontendMap = 'services' | 'nodeports';
/** Plain sets of addresses. Several Services may put the same member in. */
export type MemberSet = 'cluster-ips' | 'nodeport-ips' | 'announced-ips' | 'hairpin';

/**
 * How a connection to a frontend is treated:
 * - `pick`: any endpoint, the client's address kept;
 * - `external`: any endpoint, masqueraded, so that the answer comes back through this node;
 * - `local`: from pods any endpoint, from this node any endpoint, masqueraded; from elsewhere only endpoints of this node,
 *   the client's address kept.
 */
export type Treatment = 'pick' | 'external' | 'local';

/** One address and port that clients dial. */
export interface Frontend {
  family: Family;
  place: FrontendMap;
  /** As nft writes it: `10.96.0.1 . tcp . 80`, or `tcp . 30080`. */
  key: string;
  treatment: Treatment;
  /** `10.244.0.9 . 8080`, each once. */
  endpoints: readonly string[];
  /** With treatment `local`: those of this node. Without any, connections from elsewhere are dropped. */
  near?: readonly string[];
  /** What becomes of connections when there are no endpoints. @default reject */
  whenEmpty?: 'drop';
  /** In the place of a choice for each connection: clients come back to their endpoint. */
  sticky?: StickyPools;
  /** Only clients within these CIDRs get through; absent: all. */
  ranges?: readonly string[];
}

/** The endpoints of one port of a Service with session affinity, as chains. */
export interface StickyPool {
  /** The chain that finds a client's endpoint, or chooses one. */
  chain: string;
  members: readonly StickyEndpoint[];
  /** Where there are many: all of them in parts that are looked through one after the other. Empty: in the chain itself. */
  parts: readonly StickyPart[];
}

/** Some endpoints of a pool, in a chain of their own that stays while the others change. */
export interface StickyPart {
  /** The chain that finds a client's endpoint among these, or returns. */
  chain: string;
  members: readonly StickyEndpoint[];
}

export interface StickyPools {
  any: StickyPool;
  /** With treatment `local`, when there are any. */
  near?: StickyPool;
}

/** One endpoint that clients come back to. */
export interface StickyEndpoint {
  /** The chain that leads there, and remembers. */
  chain: string;
  /** What stands for this endpoint of this port, beside the client's address, in the set of who came where. */
  id: string;
  address: string;
  port: number;
  protocol: string;
  /** A client is forgotten so long after its last new connection. */
  seconds: number;
}

export interface Member {
  family: Family;
  place: MemberSet;
  key: string;
}

export type Entry = Frontend | Member;

/** An element of a map or set in the kernel; `value` only in a map. */
export interface Element {
  family: Family;
  map: string;
  key: string;
  value?: string;
}

export function isFrontend(entry: Entry): entry is Frontend {
  return 'treatment' in entry;
}

/** What two entries can't both be: the same key in the same map. */
export function idOf(entry: Entry): string {
  return `${entry.family} ${entry.place} ${entry.key}`;
}

/** Where the endpoints of a frontend are kept, those of this node beside them, and frontends that take nobody. */
export const ENDPOINTS_OF: Readonly<Record<FrontendMap, string>> = {
  services: 'service-endpoints',
  nodeports: 'nodeport-endpoints',
};
export const NEAR_ENDPOINTS_OF: Readonly<Record<FrontendMap, string>> = {
  services: 'near-service-endpoints',
  nodeports: 'near-nodeport-endpoints',
};
export const REFUSED_OF: Readonly<Record<FrontendMap, string>> = {
  services: 'no-endpoint-services',
  nodeports: 'no-endpoint-nodeports',
};
export const FIREWALL = 'firewall';
/** All maps and sets that elements are written to: their number never changes. */
export const MAPS: readonly string[] = [
  'services',
  'service-endpoints',
  'near-service-endpoints',
  'no-endpoint-services',
  'nodeports',
  'nodeport-endpoints',
  'near-nodeport-endpoints',
  'no-endpoint-nodeports',
  FIREWALL,
];
export const SETS: readonly MemberSet[] = ['cluster-ips', 'nodeport-ips', 'announced-ips', 'hairpin'];
/** The kernel's own: which client came to which endpoint. It outlives every agent. */
export const AFFINITY_SET = 'affinity';
/** Connections whose client wasn't remembered, for want of room. */
export const AFFINITY_FULL = 'affinity-full';

export const REJECT_CHAIN = 'reject-new';
