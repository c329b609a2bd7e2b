import { AwsError } from '../aws-error.ts';
import type { MotoClient } from '../moto-client.ts';
import { keyValues, objects, text } from '../plain.ts';
import type { View } from '../view.ts';
import type { ReadTags } from './rights.ts';

/** Tags as moto holds them; those of ELBv2 are kept until somebody changes them, since each write asks for some. */
export function readTagsOf(moto: MotoClient, view: View): ReadTags {
  return (thing) => (thing.startsWith('arn:') ? ofElb(moto, view, thing) : ofEc2(moto, thing));
}

async function ofElb(moto: MotoClient, view: View, arn: string): Promise<Record<string, string> | undefined> {
  const { listeners, loadBalancers, targetGroups } = view;
  if (!listeners.has(arn) && !loadBalancers.has(arn) && !targetGroups.has(arn)) return undefined;
  const known = view.tags.get(arn);
  if (known !== undefined) return known;
  const answer = await moto.elb('DescribeTags', { ResourceArns: [arn] });
  const tags = keyValues(objects(answer.TagDescriptions)[0]?.Tags);
  view.tags.set(arn, tags);
  return tags;
}

/** By id; a group that isn't there has none, and is told as missing. */
async function ofEc2(moto: MotoClient, id: string): Promise<Record<string, string> | undefined> {
  if (id.startsWith('sg-') && !(await hasGroup(moto, id))) return undefined;
  const answer = await moto.ec2('DescribeTags', { Filter: [{ Name: 'resource-id', Value: [id] }] });
  return Object.fromEntries(objects(answer.tagSet).map((tag) => [text(tag.key), text(tag.value)]));
}

async function hasGroup(moto: MotoClient, id: string): Promise<boolean> {
  try {
    await moto.ec2('DescribeSecurityGroups', { GroupId: [id] });
    return true;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}
