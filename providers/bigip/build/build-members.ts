import type { BigipConfig } from '../../../crds/bigip-provider.ts';
import type { Frontend } from '../../../crds/load-balancer.ts';
import { matchesSelector } from '../../../kube/selectors.ts';
import type { DesiredLoadBalancer, TargetNode } from '../../provider.ts';
import type { MemberGroup } from '../model.ts';
import { familyOf, memberName } from '../names.ts';

/** A place that traffic goes to. */
export interface Target {
  address: string;
  port: number;
  /** As the device names it. */
  member: string;
  priority: number;
  pods: string[];
}

/** Who serves a port in one family. Nodes that leave aren't among them: what is lost here is drained. */
export function findTargets(
  frontend: Frontend,
  family: 'IPv4' | 'IPv6',
  { nodes, pods, spec }: DesiredLoadBalancer,
  config: BigipConfig,
): Target[] {
  if (spec.targets.mode === 'Pod') return findPods(frontend, family, pods);
  const port = spec.targets.mode === 'ForwardingPort' ? frontend.forwardingPort : frontend.nodePort;
  if (port === undefined) return [];
  return nodes
    .filter(({ draining }) => !draining)
    .flatMap((node) => {
      const address = node.addresses.find((each) => familyOf(each) === family);
      if (address === undefined) return [];
      const priority = priorityOf(node, config);
      return [{ address, port, member: memberName(address, port), priority, pods: [] }];
    })
    .sort(byMember);
}

/** Two pods of one address (on the node's own network) are one target. */
function findPods(frontend: Frontend, family: 'IPv4' | 'IPv6', pods: DesiredLoadBalancer['pods']): Target[] {
  const targets = new Map<string, Target>();
  for (const { address, pod, port, protocol, targetPort } of pods) {
    if (port !== frontend.port || protocol !== frontend.protocol || familyOf(address) !== family) continue;
    const member = memberName(address, targetPort);
    const target = targets.get(member) ?? { address, port: targetPort, member, priority: 0, pods: [] };
    if (pod !== undefined) target.pods = [...target.pods, pod].sort();
    targets.set(member, target);
  }
  return [...targets.values()].sort(byMember);
}

/** AS3 pool members: those that are alike in one entry, so that a declaration stays short. */
export function buildMembers(targets: readonly Target[], { limits, shareNodes }: BigipConfig): MemberGroup[] {
  const groups = new Map<string, MemberGroup>();
  for (const { address, port, priority } of targets) {
    const key = `${port} ${priority}`;
    const group = groups.get(key) ?? {
      servicePort: port,
      serverAddresses: [],
      ...(priority === 0 ? {} : { priorityGroup: priority }),
      ...(limits?.connectionsPerTarget === undefined ? {} : { connectionLimit: limits.connectionsPerTarget }),
      ...(shareNodes === true ? { shareNodes } : {}),
    };
    if (!group.serverAddresses.includes(address)) group.serverAddresses.push(address);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function priorityOf({ labels }: TargetNode, { priorityGroups }: BigipConfig): number {
  const group = priorityGroups?.groups.find(({ nodeSelector }) => matchesSelector(nodeSelector, labels));
  return group?.priority ?? 0;
}

function byMember(a: Target, b: Target): number {
  return a.member < b.member ? -1 : 1;
}
