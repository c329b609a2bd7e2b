import type { AwsChange } from '../changes.ts';
import type { AwsObserved, ObservedLoadBalancer, ObservedTargetGroup } from '../observed.ts';
import { isRecorded } from '../tag-record.ts';
import { OWNER_TAGS } from '../tags.ts';
import { removeListener } from './diff-listeners.ts';
import { removeSecurityGroup } from './diff-security-group.ts';

/** Takes away what one member has, and with the last of them everything, in the order that AWS wants. */
export function diffRemoval(observed: AwsObserved): AwsChange[] {
  const { loadBalancers, member, members, targetGroups } = observed;
  const hasOthers = members.some((each) => each !== member);
  if (!hasOthers) {
    return [
      ...loadBalancers.flatMap((each) =>
        isSomebodys(each) ? handBack(each, observed) : [deleteLoadBalancer(each)],
      ),
      ...targetGroups.map(deleteTargetGroup),
      ...removeSecurityGroup(observed),
    ];
  }
  const own = loadBalancers.flatMap((each) =>
    removeListeners(each, (listener) => listener.member === member),
  );
  return [...own, ...targetGroups.filter((group) => group.member === member).map(deleteTargetGroup)];
}

/** Takes its listeners with it. */
export function deleteLoadBalancer({ name }: ObservedLoadBalancer): AwsChange {
  const summary = `Delete load balancer ${name}`;
  return { action: 'Delete', resource: 'LoadBalancer', summary, call: 'DeleteLoadBalancer', name };
}

export function deleteTargetGroup({ name }: ObservedTargetGroup): AwsChange {
  const summary = `Delete target group ${name}`;
  return { action: 'Delete', resource: 'TargetGroup', summary, call: 'DeleteTargetGroup', name };
}

/** One that was adopted, and has listeners that aren't ours: they would go with it. */
export function isSomebodys({ listeners, tags }: ObservedLoadBalancer): boolean {
  return tags[OWNER_TAGS.adopted] !== undefined && listeners.some(({ member }) => member === undefined);
}

/** Leaves it to whoever made it, without what is ours; the tags go last, since nothing without them is changed. */
export function handBack(loadBalancer: ObservedLoadBalancer, { securityGroup }: AwsObserved): AwsChange[] {
  const { name, securityGroups, tags } = loadBalancer;
  const resource = 'LoadBalancer';
  const changes = removeListeners(loadBalancer, ({ member }) => member !== undefined);
  const others = securityGroups.filter((id) => id !== securityGroup?.id);
  if (others.length < securityGroups.length) {
    const summary = `Take our security group from load balancer ${name}`;
    const call = { call: 'SetSecurityGroups' as const, name, securityGroups: others };
    changes.push({ action: 'Update', resource, summary, ...call, withManagedSecurityGroup: false });
  }
  const owners: string[] = Object.values(OWNER_TAGS);
  const keys = Object.keys(tags).filter((key) => owners.includes(key) || isRecorded(tags, key));
  const summary = `Leave load balancer ${name} to whoever made it`;
  const of = { kind: resource, name } as const;
  return [...changes, { action: 'Update', resource, summary, call: 'RemoveTags', of, keys }];
}

function removeListeners(
  { listeners, name }: ObservedLoadBalancer,
  isWanted: (listener: ObservedLoadBalancer['listeners'][number]) => boolean,
): AwsChange[] {
  return listeners.filter(isWanted).map((listener) => removeListener(name, listener));
}
