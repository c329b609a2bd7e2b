import type { IpPermission, SecurityGroup } from '@aws-sdk/client-ec2';
import type { AwsConfig } from '../../../crds/aws-provider.ts';
import { isClass } from '../../../kube/errors.ts';
import type { CallContext } from '../calls/call-aws.ts';
import { ec2Pages } from '../calls/pages.ts';
import type { SecurityGroupPorts } from '../model.ts';
import type { Inventory } from '../observe/inventory.ts';
import type { KnownStack } from '../observe/known.ts';
import { isOfProvider } from '../stack-of.ts';
import { OWNER_TAGS } from '../tags.ts';
import { findNodeGroups } from './find-node-groups.ts';
import { covers, mergePorts, portsKey } from './merge-ports.ts';
import { sharedGroupLock } from './shared-group.ts';
import type { StackWriter } from './stack-writer.ts';

/** A group has room for 60 rules (https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html), some are others'. */
const MOST_RANGES = 40;
const MOST_TRIES = 3;

/** What the rules in one group of nodes let the shared group reach. */
interface NodeGroup {
  id: string;
  ranges: SecurityGroupPorts[];
}

/**
 * Brings the rules of the nodes' groups to what all stacks of the VPC need. Ours are those that name the shared group and have
 * our description; no other is touched. As long as it isn't known what each stack needs (after a restart), none is taken away.
 */
export async function syncNodeRules(
  writer: StackWriter,
  vpcId: string,
  sharedGroupId: string,
  wanted: readonly SecurityGroupPorts[],
): Promise<'synced' | 'no nodes'> {
  const others = [...stacksIn(writer.inventory, writer.provider, vpcId)].filter(
    ({ name }) => name !== writer.name,
  );
  const isWhole = others.every(({ backendPorts }) => backendPorts !== undefined);
  const needed = [...wanted, ...others.flatMap(({ backendPorts }) => backendPorts ?? [])];
  return bringRules(writer, vpcId, sharedGroupId, (ranges) =>
    mergePorts(isWhole ? needed : [...needed, ...ranges], MOST_RANGES),
  );
}

/** Takes the shared group away when this stack is the last with a managed group in the VPC; under the group's lock. */
export async function removeSharedGroup(writer: StackWriter, vpcId: string): Promise<void> {
  const { inventory } = writer;
  const shared = inventory.sharedGroupOf(writer.provider, vpcId);
  if (shared === undefined) return;
  for (const { name } of stacksIn(inventory, writer.provider, vpcId)) if (name !== writer.name) return;
  await bringRules(writer, vpcId, shared.id, () => []);
  try {
    await writer.call('DeleteSecurityGroup', { GroupId: shared.id });
  } catch (error) {
    if (!isClass(error, 'NotFound')) throw error;
  }
  inventory.removeSharedGroup(shared.id);
}

/** Reads what rules there are and makes them what they ought to be; again, when they weren't what was read. */
async function bringRules(
  writer: StackWriter,
  vpcId: string,
  sharedGroupId: string,
  choose: (present: readonly SecurityGroupPorts[]) => SecurityGroupPorts[],
): Promise<'synced' | 'no nodes'> {
  const { inventory, context, config, provider } = writer;
  for (let tries = 1; ; tries++) {
    const groups = await readNodeGroups(inventory, { provider, vpcId, sharedGroupId }, config, context);
    try {
      for (const { id, ranges } of groups) await setRules(writer, id, sharedGroupId, ranges, choose(ranges));
      return groups.length === 0 ? 'no nodes' : 'synced';
    } catch (error) {
      // An answer was lost, and the second try found its own rules.
      if (!isClass(error, 'Conflict', 'NotFound') || tries === MOST_TRIES) throw error;
    }
  }
}

/** Looks at the rules, and forgets of each stack what isn't let in any more: the next plan puts it back. */
export async function verifyNodeRules(
  inventory: Inventory,
  provider: string,
  config: AwsConfig,
  context: CallContext,
): Promise<void> {
  for (const shared of inventory.sharedGroups) {
    if (shared.tags[OWNER_TAGS.stack] !== provider) continue;
    const place = { provider, vpcId: shared.vpcId, sharedGroupId: shared.id };
    // Rules that are written while others are read would seem to be missing.
    await inventory.locks.run(sharedGroupLock(shared.vpcId), context.signal, async () => {
      const groups = await readNodeGroups(inventory, place, config, context);
      for (const stack of stacksIn(inventory, provider, shared.vpcId)) forgetMissing(stack, groups);
    });
  }
}

function forgetMissing(stack: KnownStack, groups: readonly NodeGroup[]): void {
  const isThere = (port: SecurityGroupPorts) => groups.every(({ ranges }) => covers(ranges, [port]));
  if (stack.backendPorts?.every(isThere) === false) stack.backendPorts = stack.backendPorts.filter(isThere);
}

/** Stacks of the provider with a managed group in the VPC. */
function* stacksIn(inventory: Inventory, provider: string, vpcId: string): Generator<KnownStack> {
  for (const stack of inventory.stacks) {
    if (stack.securityGroup?.vpcId === vpcId && isOfProvider(stack.name, provider)) yield stack;
  }
}

/** Whose rules these are, and where. */
interface RulesPlace {
  provider: string;
  vpcId: string;
  sharedGroupId: string;
}

/** Groups of the nodes that are targets, and all that have rules of ours, with these rules. */
async function readNodeGroups(
  inventory: Inventory,
  { provider, sharedGroupId, vpcId }: RulesPlace,
  config: AwsConfig,
  context: CallContext,
): Promise<NodeGroup[]> {
  const targets = [...stacksIn(inventory, provider, vpcId)].flatMap(({ targetGroups }) =>
    targetGroups.flatMap(({ targets = [] }) => targets.map(({ id }) => id)),
  );
  const ids = await findNodeGroups(inventory, vpcId, config.clusterName, targets, context);
  const withRules = await listGroups(
    inventory,
    [{ Name: 'ip-permission.group-id', Values: [sharedGroupId] }],
    context,
  );
  const missing = ids.filter((id) => !withRules.some(({ GroupId }) => GroupId === id));
  const without = missing.map((id) => ({ id, ranges: [] }));
  const description = descriptionOf(inventory.clusterId);
  const found = withRules.map((group) => ({
    id: group.GroupId ?? '',
    ranges: (group.IpPermissions ?? []).flatMap((each) => rangeOf(each, sharedGroupId, description)),
  }));
  return [...found, ...without];
}

async function listGroups(
  inventory: Inventory,
  Filters: { Name: string; Values: string[] }[],
  context: CallContext,
): Promise<SecurityGroup[]> {
  const pages = await ec2Pages(inventory.calls, 'DescribeSecurityGroups', { Filters }, context);
  return pages.flatMap(({ SecurityGroups = [] }) => SecurityGroups);
}

function rangeOf(permission: IpPermission, sharedGroupId: string, description: string): SecurityGroupPorts[] {
  const { FromPort: fromPort = -1, IpProtocol, ToPort: toPort = -1, UserIdGroupPairs = [] } = permission;
  const protocol = readProtocol(IpProtocol);
  const isOurs = UserIdGroupPairs.some(
    ({ Description, GroupId }) => GroupId === sharedGroupId && Description === description,
  );
  return isOurs && protocol !== undefined ? [{ protocol, fromPort, toPort }] : [];
}

function readProtocol(protocol: string | undefined): SecurityGroupPorts['protocol'] | undefined {
  switch (protocol) {
    case 'tcp':
    case 'udp':
    case 'icmp':
    case 'icmpv6':
      return protocol;
    default:
      return undefined;
  }
}

async function setRules(
  writer: StackWriter,
  groupId: string,
  sharedGroupId: string,
  present: readonly SecurityGroupPorts[],
  target: readonly SecurityGroupPorts[],
): Promise<void> {
  const presentKeys = new Set(present.map(portsKey));
  const targetKeys = new Set(target.map(portsKey));
  const missing = target.filter((each) => !presentKeys.has(portsKey(each)));
  const extra = present.filter((each) => !targetKeys.has(portsKey(each)));
  const description = descriptionOf(writer.inventory.clusterId);
  const write = ({ fromPort, protocol, toPort }: SecurityGroupPorts): IpPermission => ({
    IpProtocol: protocol,
    FromPort: fromPort,
    ToPort: toPort,
    UserIdGroupPairs: [{ GroupId: sharedGroupId, Description: description }],
  });
  const authorize = async () => {
    if (missing.length === 0) return;
    await writer.call('AuthorizeSecurityGroupIngress', {
      GroupId: groupId,
      IpPermissions: missing.map(write),
    });
  };
  const revoke = async () => {
    if (extra.length === 0) return;
    await writer.call('RevokeSecurityGroupIngress', { GroupId: groupId, IpPermissions: extra.map(write) });
  };
  try {
    await authorize();
    await revoke();
  } catch (error) {
    // No room for both: for a moment some ports aren't let in.
    if (!isClass(error) || error.reason !== 'RulesPerSecurityGroupLimitExceeded' || extra.length === 0)
      throw error;
    await revoke();
    await authorize();
  }
}

function descriptionOf(clusterId: string): string {
  return `fairlead.dev/cluster=${clusterId}`;
}
