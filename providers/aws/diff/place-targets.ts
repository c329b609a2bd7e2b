import { isWithin } from '../build/read-cidr.ts';
import type { TargetGroupModel } from '../model.ts';
import type { ObservedNetwork } from '../observed.ts';

/**
 * Of addresses, those that are in no subnet of the load balancer's VPC (of a peered one, of a network behind a VPN) have to be
 * registered for all zones; those within one may not be. AWS looks at subnets, not at the ranges of the VPC.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
 */
export function placeTargets(
  group: TargetGroupModel,
  network: ObservedNetwork | undefined,
  vpcId: string,
): TargetGroupModel {
  if (group.targetType !== 'ip') return group;
  const isOutside = outsideOf(network, vpcId);
  return {
    ...group,
    targets: group.targets.map((target) => (isOutside(target.id) ? { ...target, zone: 'all' } : target)),
  };
}

/** Whether an address is known to be in no subnet of the VPC. */
export function outsideOf(network: ObservedNetwork | undefined, vpcId: string): (address: string) => boolean {
  const subnets = (network?.subnets ?? []).filter((subnet) => subnet.vpcId === vpcId);
  // What isn't known of all of them tells nothing of what is outside.
  if (subnets.length === 0 || subnets.some(({ cidrs = [] }) => cidrs.length === 0)) return () => false;
  const ranges = subnets.flatMap(({ cidrs = [] }) => cidrs);
  return (address) => !ranges.some((range) => isWithin(address, range));
}
