import { AwsError } from '../aws-error.ts';
import type { Mend, MendContext } from '../mend.ts';
import { text, texts } from '../plain.ts';

/** https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups */
const MAX_GROUPS = 5;

/**
 * moto takes security groups that don't exist at a creation, and gives some to a load balancer that was made without any.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html#security-group-considerations
 */
export const securityGroupsOfLoadBalancers: Mend = {
  service: 'elasticloadbalancing',
  before: {
    async CreateLoadBalancer(parameters, context) {
      await checkGroups(texts(parameters.SecurityGroups), context);
      return undefined;
    },
    async SetSecurityGroups(parameters, context) {
      const loadBalancer = context.view.loadBalancers.get(text(parameters.LoadBalancerArn));
      const groups = texts(parameters.SecurityGroups);
      if (loadBalancer?.network && loadBalancer.securityGroups.length === 0) {
        throw new AwsError(
          'InvalidConfigurationRequest',
          'You cannot set security groups on a Network Load Balancer which was created without any security groups.',
        );
      }
      if (loadBalancer?.network && groups.length === 0) {
        throw new AwsError(
          'InvalidConfigurationRequest',
          'You cannot remove all security groups from a Network Load Balancer which was created with security groups.',
        );
      }
      await checkGroups(groups, context);
      return undefined;
    },
  },
};

async function checkGroups(ids: readonly string[], { moto }: MendContext): Promise<void> {
  if (ids.length === 0) return;
  if (ids.length > MAX_GROUPS) {
    throw new AwsError(
      'InvalidConfigurationRequest',
      `You can specify at most ${MAX_GROUPS} security groups`,
    );
  }
  try {
    await moto.ec2('DescribeSecurityGroups', { GroupId: [...ids] });
  } catch (error) {
    if (!(error instanceof AwsError) || !error.code.startsWith('InvalidGroup')) throw error;
    throw new AwsError(
      'InvalidSecurityGroup',
      `One or more security groups do not exist: '${ids.join("', '")}'`,
    );
  }
}
