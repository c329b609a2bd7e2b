import type { AwsOptions } from '../../../crds/aws-provider.ts';
import type { LoadBalancerSpec } from '../../../crds/load-balancer.ts';
import type { DesiredLoadBalancer, LoadBalancerId } from '../../provider.ts';
import { mergeOptions } from '../options/merge-options.ts';
import { memberOf, stackOf } from '../stack-of.ts';

/** One of those that share a load balancer, or the only one. */
export interface BuildMember {
  id: LoadBalancerId;
  /** Value of the tag. */
  name: string;
  spec: LoadBalancerSpec;
  options: AwsOptions;
}

/** What the parts of a model are built from. */
export interface BuildInput {
  desired: DesiredLoadBalancer;
  stack: string;
  /** Whose model this is. */
  own: BuildMember;
  /** The oldest: what belongs to the whole is as this one says. */
  leader: BuildMember;
  /** Oldest first, `own` among them. */
  members: BuildMember[];
}

export interface Refusal {
  reason: string;
  message: string;
}

export function readInput(desired: DesiredLoadBalancer): BuildInput {
  const config = desired.provider.spec.aws;
  const toMember = ({ id, spec }: Pick<DesiredLoadBalancer, 'id' | 'spec'>): BuildMember => ({
    id,
    name: memberOf({ id }),
    spec,
    options: mergeOptions(config, spec.aws),
  });
  const sharers = desired.sharedWith.map(toMember);
  const found = sharers.find(({ name }) => name === memberOf(desired));
  const own = found ?? toMember(desired);
  const members = found === undefined ? [...sharers, own] : sharers;
  return { desired, stack: stackOf(desired), own, leader: members[0] ?? own, members };
}
