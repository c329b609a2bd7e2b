import type { IpPermission, SecurityGroup } from '@aws-sdk/client-ec2';
import type { CallContext } from '../calls/call-aws.ts';
import { ec2Pages } from '../calls/pages.ts';
import type { SecurityGroupPorts } from '../model.ts';
import type { Inventory } from '../observe/inventory.ts';
import type { KnownStack } from '../observe/known.ts';
import { isOfProvider } from '../stack-of.ts';

/** What the rules in one group of nodes let the shared group reach. */
export interface NodeGroup {
  id: string;
  ranges: SecurityGroupPorts[];
  /** The same, by rules that somebody else made: they count, and stay. */
  others: SecurityGroupPorts[];
}

/** Stacks of the provider with a managed group in the VPC. */
export function* stacksIn(inventory: Inventory, provider: string, vpcId: string): Generator<KnownStack> {
  for (const stack of inventory.stacks) {
    if (stack.securityGroup?.vpcId === vpcId && isOfProvider(stack.name, provider)) yield stack;
  }
}

/** Whether nodes let its load balancers in at all, as far as it's known. */
export function needsNodes({ backendPorts }: KnownStack): boolean {
  return backendPorts === undefined || backendPorts.length > 0;
}

export function targetsOf({ targetGroups }: KnownStack): string[] {
  return targetGroups.flatMap(({ targets = [] }) => targets.map(({ id }) => id));
}

/** Marks the rules that are ours. */
export function descriptionOf(clusterId: string): string {
  return `fairlead.dev/cluster=${clusterId}`;
}

/** All groups with rules for the shared one, with these rules. */
export async function readNodeGroups(
  inventory: Inventory,
  sharedGroupId: string,
  context: CallContext,
): Promise<NodeGroup[]> {
  const Filters = [{ Name: 'ip-permission.group-id', Values: [sharedGroupId] }];
  const pages = await ec2Pages(inventory.calls, 'DescribeSecurityGroups', { Filters }, context);
  const description = descriptionOf(inventory.clusterId);
  return pages
    .flatMap(({ SecurityGroups = [] }) => SecurityGroups)
    .map((group) => readGroup(group, sharedGroupId, description));
}

function readGroup(
  { GroupId: id = '', IpPermissions = [] }: SecurityGroup,
  sharedGroupId: string,
  description: string,
): NodeGroup {
  const group: NodeGroup = { id, ranges: [], others: [] };
  for (const permission of IpPermissions) {
    const range = rangeOf(permission);
    const pairs = (permission.UserIdGroupPairs ?? []).filter(({ GroupId }) => GroupId === sharedGroupId);
    if (range === undefined || pairs.length === 0) continue;
    const isOurs = pairs.some(({ Description }) => Description === description);
    (isOurs ? group.ranges : group.others).push(range);
  }
  return group;
}

function rangeOf({
  FromPort: fromPort = -1,
  IpProtocol,
  ToPort: toPort = -1,
}: IpPermission): SecurityGroupPorts | undefined {
  switch (IpProtocol) {
    case 'tcp':
    case 'udp':
    case 'icmp':
    case 'icmpv6':
      return { protocol: IpProtocol, fromPort, toPort };
    default:
      return undefined;
  }
}
