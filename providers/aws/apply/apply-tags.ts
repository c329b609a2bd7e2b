import { ClassedError } from '../../../kube/errors.ts';
import { findOwner } from '../diff/plan-adoption.ts';
import { isOurs } from '../observe/load-inventory.ts';
import { writeTags } from '../observe/read-answers.ts';
import { readTagsOf } from '../observe/read-tags.ts';
import { memberByTags } from '../stack-of.ts';
import { OWNER_TAGS } from '../tags.ts';
import type { ChangeOf, StackWriter } from './stack-writer.ts';

/** Of a load balancer that is adopted, these make it ours. */
export async function addTags(writer: StackWriter, { of, tags }: ChangeOf<'AddTags'>): Promise<void> {
  if (of.kind === 'SecurityGroup') {
    const { id } = writer.securityGroup();
    await writer.call('CreateTags', { Resources: [id], Tags: writeTags(tags) });
  } else {
    const arn = await (of.kind === 'LoadBalancer'
      ? ownOrAdoptable(writer, of.name, tags)
      : arnOf(writer, of));
    await writer.call('AddTags', { ResourceArns: [arn], Tags: writeTags(tags) });
    if (of.kind === 'LoadBalancer') adopt(writer, arn);
  }
  writer.wrote(() => {
    const thing = thingOf(writer, of);
    if (thing === undefined) return;
    thing.tags = { ...thing.tags, ...tags };
    if ('variant' in thing) thing.variant = thing.tags[OWNER_TAGS.variant] ?? '';
    if ('member' in thing) {
      thing.member = memberByTags(thing.tags) ?? '';
      thing.key = thing.tags[OWNER_TAGS.resource] ?? '';
    }
  });
}

export async function removeTags(writer: StackWriter, { of, keys }: ChangeOf<'RemoveTags'>): Promise<void> {
  if (of.kind === 'SecurityGroup') {
    const { id } = writer.securityGroup();
    await writer.call('DeleteTags', { Resources: [id], Tags: keys.map((Key) => ({ Key })) });
  } else {
    await writer.call('RemoveTags', { ResourceArns: [await arnOf(writer, of)], TagKeys: keys });
  }
  writer.wrote((stack) => {
    const thing = thingOf(writer, of);
    if (thing === undefined) return;
    thing.tags = Object.fromEntries(Object.entries(thing.tags).filter(([key]) => !keys.includes(key)));
    // It's somebody else's from now on, as it was before it was adopted.
    if (of.kind === 'LoadBalancer' && !isOurs(thing.tags, writer.inventory.clusterId)) {
      stack.loadBalancers = stack.loadBalancers.filter(({ name }) => name !== of.name);
    }
  });
}

type Tagged = ChangeOf<'AddTags'>['of'];

function thingOf(writer: StackWriter, of: Tagged) {
  switch (of.kind) {
    case 'LoadBalancer':
      return writer.findLoadBalancer(of.name);
    case 'TargetGroup':
      return writer.findTargetGroup(of.name);
    case 'Listener':
      return writer.findListener(of.loadBalancer, of.port, of.protocol);
    case 'SecurityGroup':
      return writer.stack.securityGroup;
  }
}

async function arnOf(writer: StackWriter, of: Exclude<Tagged, { kind: 'SecurityGroup' }>): Promise<string> {
  switch (of.kind) {
    case 'LoadBalancer':
      return writer.loadBalancer(of.name).arn;
    case 'TargetGroup':
      return writer.targetGroup(of.name).arn;
    case 'Listener':
      return (await writer.listener(of.loadBalancer, of.port, of.protocol)).arn;
  }
}

/** One that isn't ours may only get the tags that make it so. */
async function ownOrAdoptable(
  writer: StackWriter,
  name: string,
  tags: Readonly<Record<string, string>>,
): Promise<string> {
  const own = writer.findLoadBalancer(name);
  if (own !== undefined) return own.arn;
  const adoptable = findAdoptable(writer, ({ loadBalancer: { arn, ...each } }) => {
    return each.name === name && arn === writer.adoptArn;
  });
  const after = { ...adoptable?.loadBalancer.tags, ...tags };
  if (adoptable === undefined || !isOurs(after, writer.inventory.clusterId))
    return writer.loadBalancer(name).arn;
  await refuseOwnedMeanwhile(writer, adoptable);
  return adoptable.loadBalancer.arn;
}

/** What is known of it was read a while ago: somebody may have adopted it since, whose tags would be written over. */
async function refuseOwnedMeanwhile(writer: StackWriter, { loadBalancer }: Adoptable): Promise<void> {
  const { context, inventory, name } = writer;
  const { arn } = loadBalancer;
  const tags = (await readTagsOf(inventory.calls, [arn], context)).get(arn);
  // Gone: what comes next says so.
  if (tags === undefined) return;
  loadBalancer.tags = tags;
  const owned = findOwner(arn, { cluster: inventory.clusterId, stack: name }, tags);
  if (owned === undefined) return;
  inventory.adoptables.delete(arn);
  throw new ClassedError(owned.message, { class: 'Transient', reason: owned.reason, retryAfterSeconds: 60 });
}

function adopt(writer: StackWriter, arn: string): void {
  const adoptable = findAdoptable(writer, ({ loadBalancer }) => loadBalancer.arn === arn);
  if (adoptable === undefined || writer.stack.loadBalancers.some((each) => each.arn === arn)) return;
  writer.wrote((stack) => stack.loadBalancers.push(adoptable.loadBalancer));
  writer.inventory.adoptables.delete(arn);
}

interface Adoptable {
  loadBalancer: { arn: string; name: string; tags: Record<string, string> };
}

function findAdoptable(writer: StackWriter, fits: (adoptable: Adoptable) => boolean) {
  return [...writer.inventory.adoptables.values()].find(fits);
}
