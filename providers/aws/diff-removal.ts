import type { AwsChange } from './changes.ts';
import { removeListener } from './diff-listeners.ts';
import { removeSecurityGroup } from './diff-security-group.ts';
import type { AwsObserved, ObservedLoadBalancer, ObservedTargetGroup } from './observed.ts';

/** Takes away what one member has, and with the last of them everything, in the order that AWS wants. */
export function diffRemoval(observed: AwsObserved): AwsChange[] {
  const { loadBalancers, member, members, targetGroups } = observed;
  const hasOthers = members.some((each) => each !== member);
  if (!hasOthers) {
    return [
      ...loadBalancers.map(deleteLoadBalancer),
      ...targetGroups.map(deleteTargetGroup),
      ...removeSecurityGroup(observed),
    ];
  }
  const own = loadBalancers.flatMap(({ listeners, name }) =>
    listeners
      .filter((listener) => listener.member === member)
      .map((listener) => removeListener(name, listener)),
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
