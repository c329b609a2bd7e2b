import type { IpPermission } from '@aws-sdk/client-ec2';
import { isClass } from '../../../kube/errors.ts';
import type { SecurityGroupPorts } from '../model.ts';
import type { KnownStack } from '../observe/known.ts';
import { type NodeRules, noNodeRules, noteReached, portsLetIn } from '../observe/node-rules.ts';
import { NodeGroups } from './find-node-groups.ts';
import { covers, mergePorts, portsKey } from './merge-ports.ts';
import {
  descriptionOf,
  type NodeGroup,
  needsNodes,
  readNodeGroups,
  stacksIn,
  targetsOf,
} from './read-node-rules.ts';
import type { StackWriter } from './stack-writer.ts';

/** A group has room for 60 rules (https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html), some are others'. */
const MOST_RANGES = 40;
const MOST_TRIES = 3;

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
  if (await isSettled(writer, vpcId, sharedGroupId, wanted)) return 'synced';
  const { inventory, name, provider } = writer;
  const others = [...stacksIn(inventory, provider, vpcId)].filter((each) => each.name !== name);
  const awaited = inventory.awaitedPorts.byStack;
  const needed = [...wanted, ...others.flatMap((each) => awaited.get(each.name) ?? [])];
  const rules = inventory.nodeRules.get(sharedGroupId);
  // What others miss is theirs to put back, if that is wanted at all; and stays where it is there.
  const known = others.map((each) => ({ backendPorts: portsLetIn(each, rules) }));
  const whole = chooseRanges(known, needed);
  const all = [...needed, ...others.flatMap(({ backendPorts }) => backendPorts ?? [])];
  return bringRules(writer, vpcId, sharedGroupId, wanted.length > 0, (ranges) => {
    const kept = whole === undefined ? ranges : ranges.filter((range) => covers(all, [range]));
    return mergePorts(
      [...needed, ...known.flatMap(({ backendPorts }) => backendPorts ?? []), ...kept],
      MOST_RANGES,
    );
  });
}

/** What nodes have to let in for all of these, in as many ranges as there may be; undefined: that isn't known of each. */
export function chooseRanges(
  stacks: readonly Pick<KnownStack, 'backendPorts'>[],
  more: readonly SecurityGroupPorts[] = [],
): SecurityGroupPorts[] | undefined {
  if (!stacks.every(({ backendPorts }) => backendPorts !== undefined)) return undefined;
  return mergePorts([...more, ...stacks.flatMap(({ backendPorts }) => backendPorts ?? [])], MOST_RANGES);
}

/**
 * Its targets are in groups that have the rules already: a node that joins, or a pod; ports that others have as well, or that
 * were let in for it while it waited. What it needs no more has to be taken away.
 */
async function isSettled(
  writer: StackWriter,
  vpcId: string,
  sharedGroupId: string,
  wanted: readonly SecurityGroupPorts[],
): Promise<boolean> {
  const { inventory, name, stack } = writer;
  const rules = inventory.nodeRules.get(sharedGroupId);
  if (rules === undefined || rules.strays.length > 0 || rules.troubles.has(name)) return false;
  // What it had before a restart isn't known: it may be in the rules still.
  if (stack.backendPorts === undefined) return false;
  const keys = new Set(wanted.map(portsKey));
  // Where one group misses them, another may have them still.
  if (!stack.backendPorts.every((each) => keys.has(portsKey(each)))) return false;
  if (wanted.length === 0) return true;
  const known = new Set(portsLetIn(stack, rules)?.map(portsKey));
  const targets = targetsOf(stack);
  const joined = known.size === keys.size ? targets.filter((id) => !rules.reached.has(id)) : targets;
  // With the first target it's done.
  if (targets.length === 0 && known.size < keys.size) return false;
  if (joined.length === 0) return true;
  const nodeGroups = nodeGroupsOf(writer, vpcId);
  await nodeGroups.load(joined);
  const groups = await nodeGroups.of(joined);
  if (!groups.every((id) => covers(rules.ranges.get(id) ?? [], wanted))) return false;
  noteReached(inventory, rules, joined);
  return true;
}

function nodeGroupsOf({ config, context, inventory }: StackWriter, vpcId: string): NodeGroups {
  return new NodeGroups(inventory, { vpcId, clusterName: config.clusterName, context });
}

/** Takes the shared group away when this stack is the last with a managed group in the VPC; under the group's lock. */
export async function removeSharedGroup(writer: StackWriter, vpcId: string): Promise<void> {
  const { inventory } = writer;
  const shared = inventory.sharedGroupOf(writer.provider, vpcId);
  if (shared === undefined) return;
  for (const { name } of stacksIn(inventory, writer.provider, vpcId)) if (name !== writer.name) return;
  await bringRules(writer, vpcId, shared.id, false, () => []);
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
  forOwn: boolean,
  choose: (present: readonly SecurityGroupPorts[]) => SecurityGroupPorts[],
): Promise<'synced' | 'no nodes'> {
  const { inventory, context } = writer;
  for (let tries = 1; ; tries++) {
    const { groups: wanted, reached } = await findGroups(writer, vpcId, forOwn);
    const found = await readNodeGroups(inventory, sharedGroupId, context);
    const without = wanted.filter((id) => !found.some((each) => each.id === id));
    const groups = [...found, ...without.map((id): NodeGroup => ({ id, ranges: [], others: [] }))];
    const rules = inventory.nodeRules.get(sharedGroupId) ?? noNodeRules();
    try {
      for (const group of groups) {
        const target = choose(withoutStrays(group, rules));
        await setRules(writer, group, sharedGroupId, target);
        rules.ranges.set(group.id, target);
        rules.strays = rules.strays.filter(({ groupId }) => groupId !== group.id);
      }
    } catch (error) {
      // An answer was lost, and the second try found its own rules.
      if (!isClass(error, 'Conflict', 'NotFound') || tries === MOST_TRIES) throw error;
      continue;
    }
    noteReached(inventory, rules, reached);
    rules.troubles.delete(writer.name);
    inventory.nodeRules.set(sharedGroupId, rules);
    return groups.length === 0 ? 'no nodes' : 'synced';
  }
}

/**
 * Groups of the nodes that are targets of this stack, where it needs any, and of all others. Of others whose nodes leave open
 * which group it is, none: their own turns tell.
 */
async function findGroups(
  writer: StackWriter,
  vpcId: string,
  forOwn: boolean,
): Promise<{ groups: string[]; reached: string[] }> {
  const { inventory, name, provider } = writer;
  const stacks = [...stacksIn(inventory, provider, vpcId)].filter((each) =>
    each.name === name ? forOwn : needsNodes(each) || inventory.awaitedPorts.byStack.has(each.name),
  );
  const nodeGroups = nodeGroupsOf(writer, vpcId);
  await nodeGroups.load(stacks.flatMap(targetsOf));
  const groups = new Set<string>();
  const reached: string[] = [];
  for (const stack of stacks) {
    const targets = targetsOf(stack);
    try {
      for (const id of await nodeGroups.of(targets)) groups.add(id);
      reached.push(...targets);
    } catch (error) {
      if (stack.name === name || !isClass(error)) throw error;
    }
  }
  return { groups: [...groups], reached };
}

function withoutStrays({ id, ranges }: NodeGroup, { strays }: NodeRules): SecurityGroupPorts[] {
  const keys = new Set(strays.filter(({ groupId }) => groupId === id).map(portsKey));
  return ranges.filter((range) => !keys.has(portsKey(range)));
}

async function setRules(
  writer: StackWriter,
  { id, others, ranges }: NodeGroup,
  sharedGroupId: string,
  target: readonly SecurityGroupPorts[],
): Promise<void> {
  // Two rules that differ in their description alone are one to AWS.
  const presentKeys = new Set([...ranges, ...others].map(portsKey));
  const targetKeys = new Set(target.map(portsKey));
  const missing = target.filter((each) => !presentKeys.has(portsKey(each)));
  const extra = ranges.filter((each) => !targetKeys.has(portsKey(each)));
  const description = descriptionOf(writer.inventory.clusterId);
  const write = ({ fromPort, protocol, toPort }: SecurityGroupPorts): IpPermission => ({
    IpProtocol: protocol,
    FromPort: fromPort,
    ToPort: toPort,
    UserIdGroupPairs: [{ GroupId: sharedGroupId, Description: description }],
  });
  const authorize = async (ports = missing) => {
    if (ports.length === 0) return;
    await writer.call('AuthorizeSecurityGroupIngress', { GroupId: id, IpPermissions: ports.map(write) });
  };
  const revoke = async () => {
    if (extra.length === 0) return;
    await writer.call('RevokeSecurityGroupIngress', { GroupId: id, IpPermissions: extra.map(write) });
  };
  try {
    await authorize();
    await revoke();
  } catch (error) {
    // No room for both: for a moment some ports aren't let in.
    if (!isNoRoom(error) || extra.length === 0) throw error;
    await revoke();
    try {
      await authorize();
    } catch (again) {
      // Not even so: what served goes on.
      await authorize(extra);
      throw again;
    }
  }
}

export function isNoRoom(error: unknown): boolean {
  return isClass(error) && error.reason === 'RulesPerSecurityGroupLimitExceeded';
}
