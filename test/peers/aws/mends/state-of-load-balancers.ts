import type { Mend, MendContext } from '../mend.ts';
import { objects, type PlainObject, text } from '../plain.ts';

/** Of network load balancers, a few regions. https://docs.aws.amazon.com/general/latest/gr/elb.html */
const HOSTED_ZONES: Record<string, string> = {
  'eu-central-1': 'Z3F0SRJ5LGBH90',
  'eu-west-1': 'Z2IFOLAFXWLO4F',
  'us-east-1': 'Z26RNL4JYFTOTI',
};

/**
 * moto's load balancers become active by being described, all have `<name>-1` for a DNS name, so that twins can't be told
 * apart, and the hosted zone of nobody. AWS: active after a while, and the id of the ARN is in the DNS name.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#load-balancer-state
 */
export const stateOfLoadBalancers: Mend = {
  service: 'elasticloadbalancing',
  after: {
    CreateLoadBalancer: (_parameters, result, context) => describe(result, context),
    DescribeLoadBalancers: (_parameters, result, context) => describe(result, context),
  },
};

function describe(result: PlainObject, { view, times, now }: MendContext): void {
  for (const shown of objects(result.LoadBalancers)) {
    const loadBalancer = view.loadBalancers.get(text(shown.LoadBalancerArn));
    if (!loadBalancer?.network) continue;
    const active = now() - loadBalancer.createdAt >= times.provisioningMs;
    shown.State = { Code: active ? 'active' : 'provisioning' };
    const { arn, name } = loadBalancer;
    const region = arn.split(':')[3] ?? '';
    shown.DNSName = `${name}-${arn.split('/').at(-1)}.elb.${region}.amazonaws.com`;
    shown.CanonicalHostedZoneId = HOSTED_ZONES[region] ?? HOSTED_ZONES['us-east-1'];
  }
}
