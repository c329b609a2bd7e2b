import type { Family } from '../endpoints/canonical-address.ts';

export const TABLE = 'fairlead';

/** Where an address and port, or a port of the node, lead. */
export type FrontendMap = 'services' | 'nodeports';
/** Plain sets of addresses. Several Services may put the same member in. */
export type MemberSet = 'cluster-ips' | 'nodeport-ips' | 'hairpin';

/**
 * How a connection to a frontend is treated:
 * - `pick`: any endpoint, the client's address kept;
 * - `external`: any endpoint, masqueraded, so that the answer comes back through this node;
 * - `nodeport`: the same for a port of the node.
 */
export type Treatment = 'pick' | 'external' | 'nodeport';

/** One address and port that clients dial. */
export interface Frontend {
  family: Family;
  place: FrontendMap;
  /** As nft writes it: `10.96.0.1 . tcp . 80`, or `tcp . 30080`. */
  key: string;
  treatment: Treatment;
  /** `10.244.0.9 . 8080`, each once. Without any, connections are rejected. */
  endpoints: readonly string[];
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

/** Where the endpoints of a frontend are kept, and where those frontends are kept that have none. */
export const ENDPOINTS_OF: Readonly<Record<FrontendMap, string>> = {
  services: 'service-endpoints',
  nodeports: 'nodeport-endpoints',
};
export const REFUSED_OF: Readonly<Record<FrontendMap, string>> = {
  services: 'no-endpoint-services',
  nodeports: 'no-endpoint-nodeports',
};
/** All maps and sets of a table: their number never changes. */
export const MAPS: readonly string[] = [
  'services',
  'service-endpoints',
  'no-endpoint-services',
  'nodeports',
  'nodeport-endpoints',
  'no-endpoint-nodeports',
];
export const SETS: readonly MemberSet[] = ['cluster-ips', 'nodeport-ips', 'hairpin'];

export const REJECT_CHAIN = 'reject-new';

/** The chain of a treatment over `count` endpoints. */
export function chainOf(treatment: Treatment, count: number): string {
  return `${treatment}-${count}`;
}

/** The chains that a frontend's element leads into, directly or not. */
export function chainsOf(frontend: Frontend): string[] {
  const count = frontend.endpoints.length;
  if (count === 0) return [];
  const own = chainOf(frontend.treatment, count);
  return frontend.treatment === 'external' ? [chainOf('pick', count), own] : [own];
}
