import { isClass } from '../../../kube/errors.ts';
import type { AwsCaller, CallContext } from '../calls/call-aws.ts';
import { ARNS_A_CALL, chunk } from '../calls/pages.ts';
import { readTagDescriptions } from './read-answers.ts';

/** Tags by ARN, 20 a call; what is gone by now is left out. */
export async function readTagsOf(
  calls: AwsCaller,
  arns: readonly string[],
  context: CallContext,
): Promise<Map<string, Record<string, string>>> {
  const parts = chunk(arns, ARNS_A_CALL).map((part) => readPart(calls, part, context));
  const tags = new Map<string, Record<string, string>>();
  for (const part of await Promise.all(parts)) for (const [arn, each] of part) tags.set(arn, each);
  return tags;
}

/** One that is gone fails the whole call. */
async function readPart(
  calls: AwsCaller,
  arns: string[],
  context: CallContext,
): Promise<Map<string, Record<string, string>>> {
  try {
    const { TagDescriptions } = await calls.call('DescribeTags', { ResourceArns: arns }, context);
    return readTagDescriptions(TagDescriptions);
  } catch (error) {
    if (!isClass(error, 'NotFound')) throw error;
    if (arns.length <= 1) return new Map();
    const half = Math.ceil(arns.length / 2);
    const [first, second] = await Promise.all([
      readPart(calls, arns.slice(0, half), context),
      readPart(calls, arns.slice(half), context),
    ]);
    return new Map([...first, ...second]);
  }
}
