import { createHash } from 'node:crypto';
import { isClass } from '../../../kube/errors.ts';
import { ec2Pages } from '../calls/pages.ts';
import { lacks, readSecurityGroup, writeTags } from '../observe/read-answers.ts';
import type { ObservedSecurityGroup } from '../observed.ts';
import { OWNER_TAGS, SHARED_GROUP } from '../tags.ts';
import type { StackWriter } from './stack-writer.ts';

/** What goes on with the shared group of a VPC, and with rules for it, goes on once at a time. */
export function sharedGroupLock(vpcId: string): string {
  return `shared group of ${vpcId}`;
}

/**
 * The group that all load balancers with a managed group have as well, one a provider and VPC: rules of the nodes name it, so
 * that they are as many as there are ranges of ports, not load balancers. Another provider, which may come with other
 * credentials and so knows other things, has one of its own: neither takes the other's rules away.
 */
export async function ensureSharedGroup(writer: StackWriter, vpcId: string): Promise<ObservedSecurityGroup> {
  const { inventory, context } = writer;
  const known = inventory.sharedGroupOf(writer.provider, vpcId);
  if (known !== undefined) return known;
  return inventory.locks.run(sharedGroupLock(vpcId), context.signal, async () => {
    const made = inventory.sharedGroupOf(writer.provider, vpcId) ?? (await createSharedGroup(writer, vpcId));
    inventory.addSharedGroup(made);
    return made;
  });
}

async function createSharedGroup(writer: StackWriter, vpcId: string): Promise<ObservedSecurityGroup> {
  const { inventory, provider } = writer;
  const { clusterId } = inventory;
  const digest = createHash('sha256')
    .update(JSON.stringify([clusterId, provider]))
    .digest('hex');
  const name = `fairlead-shared-${digest.slice(0, 12)}`;
  const tags = {
    [OWNER_TAGS.cluster]: clusterId,
    [OWNER_TAGS.stack]: provider,
    [OWNER_TAGS.resource]: SHARED_GROUP,
  };
  const description =
    `Load balancers of ${provider} of Fairlead in cluster ${clusterId}: nodes let it in`.slice(0, 255);
  const isIt = (found: Readonly<Record<string, string>>) =>
    found[OWNER_TAGS.resource] === SHARED_GROUP && found[OWNER_TAGS.stack] === provider;
  return createGroup(writer, { name, description, vpcId, tags }, isIt);
}

export interface GroupToCreate {
  name: string;
  description: string;
  vpcId: string;
  tags: Record<string, string>;
}

/** Makes a security group, or takes the one that an earlier try made; `isIt` tells by its tags. */
export async function createGroup(
  writer: StackWriter,
  { name, description, vpcId, tags }: GroupToCreate,
  isIt: (tags: Readonly<Record<string, string>>) => boolean,
): Promise<ObservedSecurityGroup> {
  try {
    const { GroupId: id } = await writer.call('CreateSecurityGroup', {
      GroupName: name,
      Description: description,
      VpcId: vpcId,
      TagSpecifications: [{ ResourceType: 'security-group', Tags: writeTags(tags) }],
    });
    if (id === undefined) throw lacks('the security group that was made');
    return { id, name, vpcId, ingress: [], tags };
  } catch (error) {
    if (!isClass(error, 'Conflict')) throw error;
    const Filters = [
      { Name: 'group-name', Values: [name] },
      { Name: 'vpc-id', Values: [vpcId] },
    ];
    const pages = await ec2Pages(
      writer.inventory.calls,
      'DescribeSecurityGroups',
      { Filters },
      writer.context,
    );
    const [found] = pages.flatMap(({ SecurityGroups = [] }) => SecurityGroups).map(readSecurityGroup);
    if (found === undefined) throw error;
    if (found.tags[OWNER_TAGS.cluster] !== writer.inventory.clusterId || !isIt(found.tags)) {
      writer.checkOurs(`a security group ${name}`, {});
    }
    return found;
  }
}
