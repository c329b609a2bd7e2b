import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import { keyValues, text, toKeyValues } from '../plain.ts';

/** With their defaults. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html */
const NETWORK_ATTRIBUTES: Record<string, string> = {
  'access_logs.s3.bucket': '',
  'access_logs.s3.enabled': 'false',
  'access_logs.s3.prefix': '',
  'deletion_protection.enabled': 'false',
  'dns_record.client_routing_policy': 'any_availability_zone',
  'load_balancing.cross_zone.enabled': 'false',
  'secondary_ips.auto_assigned.per_subnet': '0',
  'zonal_shift.config.enabled': 'false',
};
/** Without a default: internal load balancers of type dualstack only. */
const INTERNAL_ATTRIBUTE = 'ipv6.deny_all_igw_traffic';

/** moto leaves defaults out, and takes those of other types of load balancers. */
export const attributesOfLoadBalancers: Mend = {
  service: 'elasticloadbalancing',
  before: {
    ModifyLoadBalancerAttributes(parameters, { view }) {
      if (!view.loadBalancers.get(text(parameters.LoadBalancerArn))?.network) return undefined;
      for (const key of Object.keys(keyValues(parameters.Attributes))) {
        if (key in NETWORK_ATTRIBUTES || key === INTERNAL_ATTRIBUTE) continue;
        throw new AwsError(
          'InvalidConfigurationRequest',
          `Load balancer attribute key '${key}' is not supported on load balancers with type 'network'`,
        );
      }
      return undefined;
    },
  },
  after: {
    DescribeLoadBalancerAttributes(parameters, result, { view }) {
      if (!view.loadBalancers.get(text(parameters.LoadBalancerArn))?.network) return;
      result.Attributes = toKeyValues({ ...NETWORK_ATTRIBUTES, ...keyValues(result.Attributes) });
    },
    ModifyLoadBalancerAttributes(parameters, result, { view }) {
      if (!view.loadBalancers.get(text(parameters.LoadBalancerArn))?.network) return;
      result.Attributes = toKeyValues({ ...NETWORK_ATTRIBUTES, ...keyValues(result.Attributes) });
    },
  },
};
