import { createHash } from 'node:crypto';
import type { Frontend, FrontendMap, StickyEndpoint, StickyPart, StickyPool } from './model.ts';

/**
 * A chain that comes and goes with Services. Its name says all that is in it, by number or by hash: chains of one name have
 * the same rules, so that one is never changed, only made and one day collected.
 */
export type Chain = { name: string } & (
  | { kind: 'pool'; place: FrontendMap; near: boolean; count: number }
  | { kind: 'external'; to: string }
  | { kind: 'local'; any: string; near: string | null }
  | { kind: 'affinity'; pool: StickyPool }
  | { kind: 'found'; part: StickyPart }
  | { kind: 'sticky'; endpoint: StickyEndpoint }
  | { kind: 'ranges'; cidrs: readonly string[] }
);

const PREFIXES = [
  'pick-',
  'near-',
  'port-',
  'external-',
  'local-',
  'affinity-',
  'found-',
  'sticky-',
  'ranges-',
];

/** Whether a chain is one of those that come and go with Services. */
export function comesAndGoes(name: string): boolean {
  return PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** The chains that a frontend leads into, each after those that it leads to. */
export function chainsOf(frontend: Frontend): Chain[] {
  const chains: Chain[] = [];
  if (frontend.ranges !== undefined) {
    chains.push({ name: rangesChain(frontend.ranges), kind: 'ranges', cidrs: frontend.ranges });
  }
  if (frontend.endpoints.length === 0) return chains;
  const any = addPool(chains, frontend, false);
  const near = frontend.treatment === 'local' ? addPool(chains, frontend, true) : null;
  if (any === null) return chains;
  if (frontend.treatment === 'external') {
    chains.push({ name: `external-${any}`, kind: 'external', to: any });
  } else if (frontend.treatment === 'local') {
    chains.push({ name: localChain(any, near), kind: 'local', any, near });
  }
  return chains;
}

/** Names of the chains that a frontend's own elements lead into. */
export function entranceChains(frontend: Frontend): string[] {
  const { endpoints, ranges } = frontend;
  return [
    ...(endpoints.length === 0 ? [] : [chainOf(frontend)]),
    ...(ranges === undefined ? [] : [rangesChain(ranges)]),
  ];
}

/** Names of the chains that a chain's rules lead into. */
export function ledToBy(chain: Chain): string[] {
  switch (chain.kind) {
    case 'external':
      return [chain.to];
    case 'local':
      return chain.near === null ? [chain.any] : [chain.any, chain.near];
    case 'affinity':
      return [...chain.pool.parts, ...chain.pool.members].map((each) => each.chain);
    case 'found':
      return chain.part.members.map((member) => member.chain);
    default:
      return [];
  }
}

/** How much there is to delete of a chain, in rules or what takes as long. */
export function weighChain(chain: Chain): number {
  switch (chain.kind) {
    case 'affinity':
      // A choice of the map takes a tenth of what a rule does.
      return 4 + 0.1 * chain.pool.members.length + (chain.pool.parts.length || chain.pool.members.length);
    case 'found':
      return 1 + chain.part.members.length;
    case 'ranges':
      return 1 + chain.cidrs.length;
    default:
      return 4;
  }
}

/** The same of one that an agent before us made: those of affinity may have any number of endpoints. */
export function weighUnknown(name: string): number {
  return name.startsWith('affinity-') ? 2000 : 4;
}

/** The chain that a frontend's element leads into. It has at least one endpoint. */
export function chainOf(frontend: Frontend): string {
  const any = poolChain(frontend, false) ?? '';
  if (frontend.treatment === 'external') return `external-${any}`;
  return frontend.treatment === 'local' ? localChain(any, poolChain(frontend, true)) : any;
}

/** The chain that lets only these clients through. */
export function rangesChain(cidrs: readonly string[]): string {
  return `ranges-${shortHash(cidrs.join(' '))}`;
}

/** 60 bits: the birthday of a clash is a billion chains away. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 15);
}

function addPool(chains: Chain[], frontend: Frontend, near: boolean): string | null {
  const name = poolChain(frontend, near);
  if (name === null) return null;
  const pool = near ? frontend.sticky?.near : frontend.sticky?.any;
  if (pool === undefined) {
    const { length: count } = near ? (frontend.near ?? []) : frontend.endpoints;
    chains.push({ name, kind: 'pool', place: frontend.place, near, count });
    return name;
  }
  for (const endpoint of pool.members) chains.push({ name: endpoint.chain, kind: 'sticky', endpoint });
  for (const part of pool.parts) chains.push({ name: part.chain, kind: 'found', part });
  chains.push({ name, kind: 'affinity', pool });
  return name;
}

/** Null: nothing is near. */
function poolChain({ place, endpoints, near = [], sticky }: Frontend, isNear: boolean): string | null {
  const { length: count } = isNear ? near : endpoints;
  if (count === 0) return null;
  if (sticky !== undefined) return (isNear ? sticky.near : sticky.any)?.chain ?? null;
  return `${place === 'nodeports' ? 'port-' : ''}${isNear ? 'near' : 'pick'}-${count}`;
}

function localChain(any: string, near: string | null): string {
  return near === null ? `local-${any}` : `local-${any}-${near}`;
}
