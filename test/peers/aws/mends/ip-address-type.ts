import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import { objects, text } from '../plain.ts';
import { findSubnets } from './network-facts.ts';

/**
 * moto makes any load balancer dualstack. AWS: all its subnets must have an IPv6 range.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetIpAddressType.html
 */
export const ipAddressType: Mend = {
  service: 'elasticloadbalancing',
  before: {
    async SetIpAddressType(parameters, context) {
      const loadBalancer = context.view.loadBalancers.get(text(parameters.LoadBalancerArn));
      if (!loadBalancer?.network || parameters.IpAddressType !== 'dualstack') return undefined;
      const ids = loadBalancer.subnets.map(({ subnetId }) => subnetId);
      const subnets = [...(await findSubnets(ids, context)).values()];
      const without = subnets.find((subnet) => objects(subnet.ipv6CidrBlockAssociationSet).length === 0);
      if (without === undefined) return undefined;
      throw new AwsError(
        'InvalidConfigurationRequest',
        `You must specify subnets with an associated IPv6 CIDR block: ${text(without.subnetId)} has none`,
      );
    },
  },
};
