import type { DesiredLoadBalancer } from '../../provider.ts';
import type { AwsModel, LoadBalancerModel, TargetGroupModel } from '../model.ts';
import { type BuildInput, type BuildMember, type Refusal, readInput } from './build-input.ts';
import { buildListeners } from './build-listeners.ts';
import { buildLoadBalancer } from './build-load-balancer.ts';
import { buildSecurityGroup } from './build-security-group.ts';
import { buildTargetGroups } from './build-target-groups.ts';
import { findForeignNodes } from './build-targets.ts';
import { chooseListeners, type ListenerChoice } from './choose-listeners.ts';
import { refuseOptions } from './refuse-options.ts';
import { refuseSharing } from './refuse-sharing.ts';

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html */
const MOST_LISTENERS = 50;

/** A Network Load Balancer as it ought to be, with all that one LoadBalancer adds to it. */
export function buildModel(desired: DesiredLoadBalancer): AwsModel {
  const input = readInput(desired);
  const loadBalancer = buildLoadBalancer(input);
  const securityGroup = buildSecurityGroup(input, loadBalancer);
  const { choices, refusals } = chooseListeners(input.own);
  const targetGroups = buildTargetGroups(input, choices, loadBalancer);
  const { adopt } = input.leader.options;
  return {
    stack: input.stack,
    member: input.own.name,
    leads: input.leader.name === input.own.name,
    ...(desired.sharedAddress === undefined ? {} : { accepted: findAccepted(input, loadBalancer) }),
    loadBalancer,
    securityGroup: securityGroup.model,
    listeners: buildListeners(input, choices),
    targetGroups,
    foreignNodes: findForeignNodes(input),
    refusals: [...refusals, ...refuse(input, choices, loadBalancer, targetGroups), ...securityGroup.refusals],
    ...(adopt === undefined ? {} : { adopt: { arn: adopt.arn, confirmed: adopt.confirmed } }),
  };
}

/** Whatever else speaks against one of those that share, but for what all of them make together. */
function refuse(
  input: BuildInput,
  choices: readonly ListenerChoice[],
  loadBalancer: LoadBalancerModel,
  targetGroups: readonly TargetGroupModel[],
): Refusal[] {
  return [
    ...refuseSharing(input, input.own),
    ...refuseOptions(input, choices, loadBalancer, targetGroups),
    ...refuseCount(input),
  ];
}

/** Each with its own eyes; of the others' pods nothing is known here. */
function findAccepted(input: BuildInput, loadBalancer: LoadBalancerModel): string[] {
  const isAccepted = (own: BuildMember) => {
    const pods = own === input.own ? input.desired.pods : [];
    const asOwn = { ...input, own, desired: { ...input.desired, pods } };
    const { choices, refusals } = chooseListeners(own);
    const targetGroups = buildTargetGroups(asOwn, choices, loadBalancer);
    return refusals.length === 0 && refuse(asOwn, choices, loadBalancer, targetGroups).length === 0;
  };
  return input.members.filter(isAccepted).map(({ name }) => name);
}

function refuseCount({ members, own }: BuildInput): Refusal[] {
  let count = 0;
  for (const member of members) {
    count += chooseListeners(member).choices.length;
    if (member.name === own.name) break;
  }
  if (count <= MOST_LISTENERS) return [];
  const message = `A Network Load Balancer has ${MOST_LISTENERS} listeners, ${count} are asked for: take ports away, or another shared-address.`;
  return [{ reason: 'TooManyListeners', message }];
}
