import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import { text } from '../plain.ts';

/**
 * moto deletes a protected load balancer.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#deletion-protection
 */
export const deletionProtection: Mend = {
  service: 'elasticloadbalancing',
  before: {
    DeleteLoadBalancer(parameters, { view }) {
      const arn = text(parameters.LoadBalancerArn);
      if (view.loadBalancers.get(arn)?.deletionProtection) {
        throw new AwsError(
          'OperationNotPermitted',
          `Load balancer '${arn}' cannot be deleted because deletion protection is enabled`,
        );
      }
      return undefined;
    },
  },
};
