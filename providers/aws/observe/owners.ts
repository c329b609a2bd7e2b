import type { LoadBalancerId } from '../../provider.ts';
import { OWNER_TAGS } from '../tags.ts';
import type { KnownStack } from './known.ts';

/**
 * Who has something in these stacks, by tags; one of which these name several Services, once for each. What is shared and
 * has no members left goes by the name of its stack, by which it is found like any other.
 */
export function ownersIn(stacks: Iterable<KnownStack>, clusterId: string): LoadBalancerId[] {
  const owners = new Map<string, LoadBalancerId>();
  const add = (owner: string, tags: Readonly<Record<string, string>>) => {
    const at = owner.indexOf('/');
    const serviceUid = tags[OWNER_TAGS.serviceUid] ?? '';
    const key = `${owner} ${serviceUid}`;
    if (at < 1 || owners.has(key)) return;
    owners.set(key, { clusterId, namespace: owner.slice(0, at), name: owner.slice(at + 1), serviceUid });
  };
  for (const stack of stacks) {
    const { loadBalancers, securityGroup, targetGroups } = stack;
    const parts = [...targetGroups, ...loadBalancers.flatMap(({ listeners }) => listeners)];
    for (const { member, tags } of parts) if (member !== undefined) add(member, tags);
    if (parts.length > 0) continue;
    const [first] = loadBalancers;
    add(stack.name, first?.tags ?? securityGroup?.tags ?? {});
  }
  return [...owners.values()];
}
