import type { Mend, MendContext } from '../mend.ts';
import { objects, optionalText, type PlainObject, text } from '../plain.ts';
import type { LoadBalancerView, SubnetView } from '../view.ts';
import { mappingsOf, resolveSubnets } from './resolve-subnets.ts';

/** From the way to moto to the way back. */
const resolved = new WeakMap<PlainObject, SubnetView[]>();

/**
 * moto looks at nothing but the ids of subnets, forgets the addresses of mappings, and wants two zones of SetSubnets, which
 * a Network Load Balancer doesn't. So the subnets of network load balancers are kept here.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSubnets.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAddress.html
 */
export const subnets: Mend = {
  service: 'elasticloadbalancing',
  before: {
    async CreateLoadBalancer(parameters, context) {
      if (parameters.Type !== 'network') return undefined;
      const scheme = optionalText(parameters.Scheme) ?? 'internet-facing';
      const dualstack = parameters.IpAddressType === 'dualstack';
      const wanted = { scheme, dualstack, owner: undefined };
      resolved.set(parameters, await resolveSubnets(mappingsOf(parameters), wanted, context));
      return undefined;
    },
    async SetSubnets(parameters, context) {
      const loadBalancer = context.view.loadBalancers.get(text(parameters.LoadBalancerArn));
      if (!loadBalancer?.network) return undefined;
      const { scheme } = loadBalancer;
      const dualstack = optionalText(parameters.IpAddressType) === 'dualstack';
      loadBalancer.subnets = await resolveSubnets(
        mappingsOf(parameters),
        { scheme, dualstack, owner: loadBalancer },
        context,
      );
      return { AvailabilityZones: zonesOf(loadBalancer) };
    },
  },
  after: {
    CreateLoadBalancer(parameters, result, context) {
      const [made] = objects(result.LoadBalancers);
      const loadBalancer = context.view.loadBalancers.get(text(made?.LoadBalancerArn));
      // Of one that was there already, nothing was resolved.
      const found = resolved.get(parameters);
      if (loadBalancer && found) loadBalancer.subnets = found;
      describe(result, context);
    },
    DescribeLoadBalancers: (_parameters, result, context) => describe(result, context),
  },
};

function describe(result: PlainObject, { view }: MendContext): void {
  for (const shown of objects(result.LoadBalancers)) {
    const loadBalancer = view.loadBalancers.get(text(shown.LoadBalancerArn));
    if (loadBalancer?.network) shown.AvailabilityZones = zonesOf(loadBalancer);
  }
}

function zonesOf(loadBalancer: LoadBalancerView): PlainObject[] {
  return loadBalancer.subnets.map(({ subnetId, zone, addresses }) => ({
    ZoneName: zone,
    SubnetId: subnetId,
    LoadBalancerAddresses: addresses,
  }));
}
