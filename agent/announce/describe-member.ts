import type { Node } from '../../kube/objects.ts';
import type { NodeInterface } from './choose-interface.ts';
import type { Candidate, VirtualAddress } from './choose-owner.ts';
import type { MemberRecord } from './member-record.ts';

/** A node as others need to know it; of its labels only those with the keys in `labelKeys`. */
export function describeMember(
  nodeName: string,
  node: Node | undefined,
  labelKeys: readonly string[],
  interfaces: NodeInterface[],
): Candidate {
  const labels = node?.metadata.labels ?? {};
  const told = labelKeys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return { node: nodeName, labels: Object.fromEntries(told), interfaces };
}

/** What a record says, apart from being a renewal. */
export function contentOf(record: MemberRecord, isMember: boolean): string {
  const { claims, dead, labels, interfaces, peer } = record;
  return JSON.stringify([isMember, [...claims].sort(), [...dead], labels, interfaces, peer]);
}

/** Label keys that some load balancer selects by: the only labels that others need to know. */
export function selectorKeys(virtuals: readonly VirtualAddress[]): string[] {
  const keys = new Set<string>();
  for (const { nodeSelector } of virtuals) {
    for (const key of Object.keys(nodeSelector?.matchLabels ?? {})) keys.add(key);
    for (const { key } of nodeSelector?.matchExpressions ?? []) keys.add(key);
  }
  return [...keys].sort();
}

export function internalAddresses(node: Node | undefined): string[] {
  return (node?.status?.addresses ?? [])
    .filter((entry) => entry.type === 'InternalIP')
    .map((entry) => entry.address);
}
