import type { SecurityGroupPorts } from '../model.ts';
import type {
  ObservedListener,
  ObservedLoadBalancer,
  ObservedSecurityGroup,
  ObservedTarget,
  ObservedTargetGroup,
  RefusedTarget,
} from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';
import type { Look } from './look.ts';

/** A load balancer as far as it is known: its settings and listeners aren't, until they are read, written, or assumed. */
export interface KnownLoadBalancer extends Omit<ObservedLoadBalancer, 'attributes' | 'listeners'> {
  /** undefined: not read. Those that nobody ever wrote or read aren't in it. */
  attributes: Record<string, string> | undefined;
  listeners: ObservedListener[];
  /** Whose listeners are known: everybody's, or those of some members. */
  listenersOf: 'all' | Set<string>;
  /** It serves, and something of it takes its time at AWS: addresses in new zones. */
  waits: boolean;
  look: Look;
}

export interface KnownTargetGroup extends Omit<ObservedTargetGroup, 'attributes' | 'refused' | 'targets'> {
  attributes: Record<string, string> | undefined;
  targets: KnownTarget[] | undefined;
  /** Something began whose end only AWS tells: targets that were registered, or weren't all well when it was asked. */
  waits: boolean;
  look: Look;
  /** What AWS refused when it was registered; in memory only. Absent: nothing. */
  refused?: KnownRefusal[];
}

export interface KnownRefusal extends RefusedTarget {
  /** When it may be tried again. */
  look: Look;
}

export interface KnownTarget extends ObservedTarget {
  /** Somebody waits for its health: the readiness gate of a pod. */
  awaited: boolean;
}

/** What there is with one value of the tag `fairlead.dev/stack`. */
export interface KnownStack {
  name: string;
  loadBalancers: KnownLoadBalancer[];
  targetGroups: KnownTargetGroup[];
  securityGroup: ObservedSecurityGroup | undefined;
  /** What nodes were made to let its load balancers reach, as far as it's known; but for what is missing (`NodeRules`). */
  backendPorts: SecurityGroupPorts[] | undefined;
  /** Targets that nodes' rules weren't seen to for since they were registered, by when that was (ms, monotonic). */
  joined: Map<string, number>;
  /** Grows with each write: what was read before one doesn't count any more. */
  writes: number;
}

export function emptyStack(name: string): KnownStack {
  return {
    name,
    loadBalancers: [],
    targetGroups: [],
    securityGroup: undefined,
    backendPorts: undefined,
    joined: new Map(),
    writes: 0,
  };
}

export function isEmptyStack(stack: KnownStack): boolean {
  return (
    stack.loadBalancers.length === 0 && stack.targetGroups.length === 0 && stack.securityGroup === undefined
  );
}

/** Whether its health ought to be asked for again: until nothing begins any more, something is well, and nobody waits. */
export function stillWaits(targets: readonly KnownTarget[]): boolean {
  if (targets.length === 0) return false;
  const isHealthy = ({ health }: KnownTarget) => health === 'healthy';
  const begins = ({ awaited, health }: KnownTarget) =>
    health === 'initial' || (awaited && health !== 'healthy');
  return !targets.some(isHealthy) || targets.some(begins);
}

/** Who has listeners or target groups in it. */
export function membersOf(stack: KnownStack): string[] {
  const members = new Set<string>();
  for (const { member } of stack.targetGroups) members.add(member);
  for (const loadBalancer of stack.loadBalancers) {
    for (const { member } of ownListeners(loadBalancer)) if (member !== undefined) members.add(member);
  }
  return [...members].sort();
}

/** Listeners, of which only those that are tagged for the same cluster and stack as the load balancer are some member's. */
export function ownListeners({
  listeners,
  tags,
}: Pick<KnownLoadBalancer, 'listeners' | 'tags'>): ObservedListener[] {
  const { cluster, stack } = OWNER_TAGS;
  return listeners.map((each) => {
    const isOwn =
      tags[cluster] !== undefined && each.tags[cluster] === tags[cluster] && each.tags[stack] === tags[stack];
    return isOwn ? each : { ...each, key: undefined, member: undefined };
  });
}
