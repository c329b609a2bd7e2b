import { isRecord } from '../../../kube/classify-error.ts';
import { type ClassedError, isClass } from '../../../kube/errors.ts';
import type { InputOf, OperationName, OutputOf } from './operations.ts';

type Ask = <N extends OperationName>(operation: N, input: InputOf<N>) => Promise<OutputOf<N>>;

/**
 * With rights that are bound to tags AWS denies what is done to a thing that isn't there: it has no tags. So what was denied is
 * asked for, which needs no tags. Answers the error that tells it as gone; undefined: it's there, or nobody knows.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
 */
export async function lookWhetherGone(input: unknown, ask: Ask): Promise<ClassedError | undefined> {
  try {
    await askFor(input, ask);
    return undefined;
  } catch (error) {
    return isClass(error, 'NotFound') ? error : undefined;
  }
}

async function askFor(input: unknown, ask: Ask): Promise<void> {
  if (!isRecord(input)) return;
  const { GroupId, ListenerArn, LoadBalancerArn, ResourceArns, Resources, TargetGroupArn } = input;
  if (typeof ListenerArn === 'string') await ask('DescribeListeners', { ListenerArns: [ListenerArn] });
  if (typeof TargetGroupArn === 'string')
    await ask('DescribeTargetGroups', { TargetGroupArns: [TargetGroupArn] });
  if (typeof LoadBalancerArn === 'string')
    await ask('DescribeLoadBalancers', { LoadBalancerArns: [LoadBalancerArn] });
  if (typeof GroupId === 'string') await ask('DescribeSecurityGroups', { GroupIds: [GroupId] });
  // Tags of ELBv2 are asked for by ARN, of whatever thing; those of EC2 are only ever those of security groups.
  if (isListOfText(ResourceArns)) await ask('DescribeTags', { ResourceArns });
  if (isListOfText(Resources)) await ask('DescribeSecurityGroups', { GroupIds: Resources });
}

function isListOfText(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
