import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import { keyValues, objects, text, texts, toKeyValues } from '../plain.ts';
import type { View } from '../view.ts';

const MAX_ARNS = 20;
/** https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-tags.html */
const MAX_TAGS = 50;

/**
 * moto answers for any number of ARNs, for those that don't exist any more too, and has a limit of ten tags once there are ten.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html
 */
export const tags: Mend = {
  service: 'elasticloadbalancing',
  before: {
    DescribeTags(parameters, { view }) {
      const arns = texts(parameters.ResourceArns);
      checkArns(arns, view);
      return undefined;
    },
    async AddTags(parameters, { view, moto }) {
      const arns = texts(parameters.ResourceArns);
      checkArns(arns, view);
      const added = keyValues(parameters.Tags);
      const present = await moto.elb('DescribeTags', { ResourceArns: arns });
      for (const described of objects(present.TagDescriptions)) {
        const before = keyValues(described.Tags);
        const after = { ...before, ...added };
        if (Object.keys(after).length > MAX_TAGS) {
          throw new AwsError('TooManyTags', `The maximum number of tags, ${MAX_TAGS}, has been exceeded`);
        }
        const ResourceArns = [text(described.ResourceArn)];
        // With none there, moto has no limit.
        if (Object.keys(before).length > 0) {
          await moto.elb('RemoveTags', { ResourceArns, TagKeys: Object.keys(before) });
        }
        await moto.elb('AddTags', { ResourceArns, Tags: toKeyValues(after) });
      }
      return {};
    },
    RemoveTags(parameters, { view }) {
      checkArns(texts(parameters.ResourceArns), view);
      return undefined;
    },
  },
};

function checkArns(arns: readonly string[], view: View): void {
  if (arns.length === 0 || arns.length > MAX_ARNS) {
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value at 'resourceArns' failed to satisfy constraint: Member must have length less than or equal to ${MAX_ARNS}`,
    );
  }
  for (const arn of arns) {
    const kind = arn.split(':')[5]?.split('/')[0];
    if (kind === 'loadbalancer' && !view.loadBalancers.has(arn)) {
      throw new AwsError('LoadBalancerNotFound', `Load balancer '${arn}' not found`);
    }
    if (kind === 'targetgroup' && !view.targetGroups.has(arn)) {
      throw new AwsError('TargetGroupNotFound', `Target groups '${arn}' not found`);
    }
    if (kind === 'listener' && !view.listeners.has(arn)) {
      throw new AwsError('ListenerNotFound', `Listener '${arn}' not found`);
    }
  }
}
