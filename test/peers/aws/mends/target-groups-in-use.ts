import { AwsError } from '../aws-error.ts';
import type { Mend, MendContext } from '../mend.ts';
import { objects, type PlainObject, text } from '../plain.ts';

/**
 * moto's target groups name load balancers that are gone or never had them since, and are free at once. AWS lets go of them
 * a moment after the listener is gone.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html
 */
export const targetGroupsInUse: Mend = {
  service: 'elasticloadbalancing',
  before: {
    DeleteTargetGroup(parameters, { view, times, now }) {
      const arn = text(parameters.TargetGroupArn);
      const group = view.targetGroups.get(arn);
      const held = group?.releasedAt !== undefined && now() - group.releasedAt < times.targetGroupReleaseMs;
      if (!held && view.loadBalancersOf(arn).length === 0) return undefined;
      throw new AwsError(
        'ResourceInUse',
        `Target group '${arn}' is currently in use by a listener or a rule`,
      );
    },
  },
  after: {
    CreateTargetGroup: (_parameters, result, context) => describe(result, context),
    ModifyTargetGroup: (_parameters, result, context) => describe(result, context),
    DescribeTargetGroups: (_parameters, result, context) => describe(result, context),
  },
};

function describe(result: PlainObject, { view }: MendContext): void {
  const users = view.loadBalancersByTargetGroup();
  for (const shown of objects(result.TargetGroups)) {
    shown.LoadBalancerArns = [...(users.get(text(shown.TargetGroupArn)) ?? [])];
  }
}
