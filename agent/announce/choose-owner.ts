import type { LabelSelector } from '../../kube/objects.ts';
import { matchesSelector } from '../../kube/selectors.ts';
import { chooseInterface, type NodeInterface } from './choose-interface.ts';

/** A node with a live agent, as it describes itself. */
export interface Candidate {
  node: string;
  labels: Readonly<Record<string, string>>;
  interfaces: readonly NodeInterface[];
}

/** One address to announce, with all that share it. */
export interface VirtualAddress {
  /** In canonical spelling. */
  address: string;
  interfaces?: readonly string[] | undefined;
  nodeSelector?: LabelSelector | undefined;
  /** Services with externalTrafficPolicy Local, as `namespace/name`; empty: any node will do. */
  localServices: readonly string[];
  /** LoadBalancers that it belongs to, as `namespace/name`. */
  loadBalancers: readonly string[];
}

export type NoOwnerReason =
  | 'NoLiveAgent'
  | 'NoNodeMatchesSelector'
  | 'NoSuchInterface'
  | 'NoInterfaceForAddress'
  | 'NoLocalEndpoint';

export type OwnerChoice = { owner: string; interface: string } | { owner?: undefined; reason: NoOwnerReason };

/** Nodes with a ready endpoint of a Service. */
export type ReadyNodes = (serviceKey: string) => ReadonlySet<string>;

/**
 * The node that should answer for an address: of those that may, the one with the highest hash of address and node
 * (rendezvous hashing), so that a node that comes or goes moves only the addresses that it gains or had. An address that
 * several Local Services share goes to a node that has endpoints of as many of them as possible.
 */
export function chooseOwner(
  virtual: VirtualAddress,
  candidates: readonly Candidate[],
  readyNodes: ReadyNodes,
): OwnerChoice {
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      endpoints: countEndpoints(virtual, candidate.node, readyNodes),
      score: scoreOf(virtual.address, candidate.node),
    }))
    .sort(compareRanks);
  let reason: NoOwnerReason = 'NoLiveAgent';
  for (const { candidate, endpoints } of ranked) {
    const fit = fits(virtual, candidate, endpoints);
    if (fit.interface !== undefined) return { owner: candidate.node, interface: fit.interface };
    if (STAGES.indexOf(fit.reason) > STAGES.indexOf(reason)) reason = fit.reason;
  }
  return { reason };
}

/** In the order in which a node is examined: of several nodes' reasons, the one of the node that came furthest is told. */
const STAGES: readonly NoOwnerReason[] = [
  'NoLiveAgent',
  'NoNodeMatchesSelector',
  'NoSuchInterface',
  'NoInterfaceForAddress',
  'NoLocalEndpoint',
];

type Fit = { interface: string } | { interface?: undefined; reason: NoOwnerReason };

function fits(virtual: VirtualAddress, candidate: Candidate, endpoints: number): Fit {
  if (!matchesSelector(virtual.nodeSelector, candidate.labels)) return { reason: 'NoNodeMatchesSelector' };
  const choice = chooseInterface(virtual.address, candidate.interfaces, virtual.interfaces);
  if (choice.interface === undefined) return { reason: choice.reason };
  if (virtual.localServices.length > 0 && endpoints === 0) return { reason: 'NoLocalEndpoint' };
  return { interface: choice.interface };
}

function countEndpoints(virtual: VirtualAddress, node: string, readyNodes: ReadyNodes): number {
  return virtual.localServices.filter((key) => readyNodes(key).has(node)).length;
}

interface Rank {
  candidate: Candidate;
  endpoints: number;
  score: number;
}

/** Best first. */
function compareRanks(one: Rank, other: Rank): number {
  if (one.endpoints !== other.endpoints) return other.endpoints - one.endpoints;
  if (one.score !== other.score) return other.score - one.score;
  return one.candidate.node < other.candidate.node ? 1 : -1;
}

/**
 * 53 bits that depend on every character of both (two FNV-1a passes, each finished by murmur3's mixer). Part of the
 * agreement between agents: another function would move every address while a cluster is being upgraded.
 */
export function scoreOf(address: string, node: string): number {
  const text = `${address}#${node}`;
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  return (mix(high) & 0x1fffff) * 2 ** 32 + mix(low);
}

function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
