import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import { type PlainObject, text } from '../plain.ts';

/**
 * moto makes a second load balancer of the same name. AWS: with the same settings the call gives the one that is there, with
 * others it is DuplicateLoadBalancerName; names have rules, and there is a quota.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
 */
export const namesOfLoadBalancers: Mend = {
  service: 'elasticloadbalancing',
  before: {
    async CreateLoadBalancer(parameters, { view, moto, quotas }) {
      const name = text(parameters.Name);
      const flaw = nameFlaw(name);
      if (flaw !== undefined) throw new AwsError('ValidationError', flaw);
      const existing = view.loadBalancerNamed(name);
      if (existing === undefined) {
        if (view.loadBalancers.size < quotas.loadBalancers) return undefined;
        throw new AwsError('TooManyLoadBalancers', 'The maximum number of load balancers has been reached.');
      }
      if (!isDeepStrictEqual(existing.settings, settingsOf(parameters))) {
        throw new AwsError(
          'DuplicateLoadBalancerName',
          `A load balancer with the same name '${name}' exists, but with different settings`,
        );
      }
      return moto.elb('DescribeLoadBalancers', { LoadBalancerArns: [existing.arn] });
    },
  },
};

/** What a second creation is compared with: tags don't count. */
export function settingsOf(parameters: PlainObject): PlainObject {
  const { Tags: _tags, ...settings } = parameters;
  return settings;
}

function nameFlaw(name: string): string | undefined {
  if (name.length > 32) return `The load balancer name '${name}' cannot be longer than '32' characters`;
  if (!/^[A-Za-z0-9-]+$/.test(name)) {
    return `The load balancer name '${name}' can only contain characters that are alphanumeric characters and hyphens(-)`;
  }
  if (/^-|-$/.test(name)) return `The load balancer name '${name}' cannot begin or end with '-'`;
  if (name.startsWith('internal-')) return `The load balancer name '${name}' cannot begin with 'internal-'`;
  return undefined;
}
