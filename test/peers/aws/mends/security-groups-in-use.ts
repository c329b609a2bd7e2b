import { AwsError } from '../aws-error.ts';
import type { Mend, MendContext } from '../mend.ts';
import { objects, text } from '../plain.ts';

/**
 * moto deletes security groups that are in use. AWS doesn't while a network interface has it (a load balancer's goes a while
 * after the load balancer) or a rule of another group names it.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
 */
export const securityGroupsInUse: Mend = {
  service: 'ec2',
  before: {
    async DeleteSecurityGroup(parameters, context) {
      const id = text(parameters.GroupId);
      if (!isUsedByLoadBalancer(id, context) && !(await isUsedElsewhere(id, context))) return undefined;
      throw new AwsError('DependencyViolation', `resource ${id} has a dependent object`);
    },
  },
};

function isUsedByLoadBalancer(id: string, { view, times, now }: MendContext): boolean {
  const releasedAt = view.securityGroupReleases.get(id);
  if (releasedAt !== undefined && now() - releasedAt < times.securityGroupReleaseMs) return true;
  return [...view.loadBalancers.values()].some(({ securityGroups }) => securityGroups.includes(id));
}

async function isUsedElsewhere(id: string, { moto }: MendContext): Promise<boolean> {
  for (const direction of ['ip-permission', 'egress.ip-permission']) {
    const filter = [{ Name: `${direction}.group-id`, Value: [id] }];
    const answer = await moto.ec2('DescribeSecurityGroups', { Filter: filter });
    if (objects(answer.securityGroupInfo).some((group) => text(group.groupId) !== id)) return true;
  }
  const filter = [{ Name: 'group-id', Value: [id] }];
  const answer = await moto.ec2('DescribeNetworkInterfaces', { Filter: filter });
  return objects(answer.networkInterfaceSet).length > 0;
}
