import { isDeepStrictEqual } from 'node:util';
import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import { text } from '../plain.ts';
import { settingsOf } from './names-of-load-balancers.ts';

/**
 * moto refuses a used name whatever the settings. AWS: with the same settings the call gives the one that is there.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
 */
export const namesOfTargetGroups: Mend = {
  service: 'elasticloadbalancing',
  before: {
    async CreateTargetGroup(parameters, { view, moto, quotas }) {
      const name = text(parameters.Name);
      const existing = view.targetGroupNamed(name);
      if (existing === undefined) {
        if (view.targetGroups.size < quotas.targetGroups) return undefined;
        throw new AwsError('TooManyTargetGroups', 'The maximum number of target groups has been reached.');
      }
      if (!isDeepStrictEqual(existing.settings, settingsOf(parameters))) {
        throw new AwsError(
          'DuplicateTargetGroupName',
          `A target group with the same name '${name}' exists, but with different settings`,
        );
      }
      return moto.elb('DescribeTargetGroups', { TargetGroupArns: [existing.arn] });
    },
  },
};
