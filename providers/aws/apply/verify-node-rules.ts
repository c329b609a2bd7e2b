import type { AwsConfig } from '../../../crds/aws-provider.ts';
import { isClass } from '../../../kube/errors.ts';
import type { CallContext } from '../calls/call-aws.ts';
import type { SecurityGroupPorts } from '../model.ts';
import type { Inventory } from '../observe/inventory.ts';
import type { KnownStack } from '../observe/known.ts';
import { type NodeRules, noNodeRules, noteReached } from '../observe/node-rules.ts';
import { OWNER_TAGS } from '../tags.ts';
import { chooseRanges } from './backend-rules.ts';
import { NodeGroups } from './find-node-groups.ts';
import { covers, portsKey } from './merge-ports.ts';
import { type NodeGroup, needsNodes, readNodeGroups, stacksIn, targetsOf } from './read-node-rules.ts';
import { sharedGroupLock } from './shared-group.ts';

/**
 * Looks at the rules of nodes: notes of each stack what isn't let in any more, so that the next plan puts it back, and the
 * rules of ours that somebody changed. Nodes of one stack of which nothing can be told are noted too, and stop no other.
 */
export async function verifyNodeRules(
  inventory: Inventory,
  provider: string,
  config: AwsConfig,
  context: CallContext,
): Promise<void> {
  for (const { id, tags, vpcId } of inventory.sharedGroups) {
    if (tags[OWNER_TAGS.stack] !== provider) continue;
    // Rules that are written while others are read would seem to be missing.
    await inventory.locks.run(sharedGroupLock(vpcId), context.signal, async () => {
      const stacks = [...stacksIn(inventory, provider, vpcId)];
      const nodeGroups = new NodeGroups(inventory, { vpcId, clusterName: config.clusterName, context });
      const needing = stacks.filter(needsNodes);
      const [groups] = await Promise.all([
        readNodeGroups(inventory, id, context),
        nodeGroups.load(needing.flatMap(targetsOf)),
      ]);
      const found = noNodeRules();
      found.strays = findStrays(inventory.nodeRules.get(id), groups, stacks);
      const isStray = ({ groupId }: { groupId: string }, range: SecurityGroupPorts) =>
        found.strays.some((each) => each.groupId === groupId && portsKey(each) === portsKey(range));
      for (const { id: groupId, ranges } of groups) {
        const own = ranges.filter((range) => !isStray({ groupId }, range));
        found.ranges.set(groupId, own);
      }
      for (const stack of needing) await verifyStack(inventory, stack, groups, nodeGroups, found);
      inventory.nodeRules.set(id, found);
    });
  }
}

/** What nobody needs that wasn't there when we looked last, nor written by us since; at the first look, what nobody needs. */
function findStrays(
  before: NodeRules | undefined,
  groups: readonly NodeGroup[],
  stacks: readonly KnownStack[],
): NodeRules['strays'] {
  const needed = chooseRanges(stacks);
  if (before === undefined && needed === undefined) return [];
  return groups.flatMap(({ id, ranges }) => {
    const known = new Set([...(needed ?? []), ...(before?.ranges.get(id) ?? [])].map(portsKey));
    return ranges.filter((range) => !known.has(portsKey(range))).map((range) => ({ groupId: id, ...range }));
  });
}

async function verifyStack(
  inventory: Inventory,
  stack: KnownStack,
  groups: readonly NodeGroup[],
  nodeGroups: NodeGroups,
  found: NodeRules,
): Promise<void> {
  const targets = targetsOf(stack);
  try {
    const chosen = await nodeGroups.of(targets);
    // A range that somebody widened lets in what it did before: it's put back as a stray.
    const letIn = chosen.map((id) => {
      const group = groups.find((each) => each.id === id);
      return [...(group?.ranges ?? []), ...(group?.others ?? [])];
    });
    const isThere = (port: SecurityGroupPorts) => letIn.every((ranges) => covers(ranges, [port]));
    const missing = (stack.backendPorts ?? []).filter((port) => !isThere(port));
    if (missing.length > 0) found.missing.set(stack.name, missing);
    noteReached(inventory, found, targets);
  } catch (error) {
    if (!isClass(error)) throw error;
    found.troubles.set(stack.name, error.message);
  }
}
