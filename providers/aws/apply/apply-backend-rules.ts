import { outsideOf } from '../diff/place-targets.ts';
import type { SecurityGroupPorts } from '../model.ts';
import { isNoRoom, syncNodeRules } from './backend-rules.ts';
import { targetsOf } from './read-node-rules.ts';
import { ensureSharedGroup, sharedGroupLock } from './shared-group.ts';
import type { ChangeOf, StackWriter } from './stack-writer.ts';

/** For so long EC2 may not know a target that there is. */
const UNTIL_KNOWN_MS = 60_000;

/** Brings the rules of the nodes to what this stack needs now, beside what the others do. */
export async function syncBackendRules(
  writer: StackWriter,
  { ports, wanted }: ChangeOf<'SyncBackendRules'>,
): Promise<void> {
  const { inventory, context, stack } = writer;
  const vpcId = stack.securityGroup?.vpcId;
  if (vpcId === undefined) return;
  const shared =
    ports.length === 0
      ? inventory.sharedGroupOf(writer.provider, vpcId)
      : await ensureSharedGroup(writer, vpcId);
  let unknown = new Map<string, number>();
  let letIn: readonly SecurityGroupPorts[] = ports;
  const bring = async (sharedGroupId: string) => {
    try {
      return await syncNodeRules(writer, vpcId, sharedGroupId, ports);
    } catch (error) {
      // One after the other then: what was needed so far goes first.
      if (wanted === undefined || !isNoRoom(error)) throw error;
      letIn = wanted;
      return syncNodeRules(writer, vpcId, sharedGroupId, wanted);
    }
  };
  const inTurn = async () => {
    if (shared !== undefined) {
      const synced = await bring(shared.id);
      unknown = await findUnknown(writer, vpcId);
      // Without a target nothing needs to be reached; it's done with the first one.
      const hasNone = targetsOf(writer.stack).length === 0 || unknown.size > 0;
      if (synced === 'no nodes' && hasNone && ports.length > 0) return;
    }
    if (shared !== undefined) inventory.nodeRules.get(shared.id)?.missing.delete(writer.name);
    writer.wrote((each) => {
      each.backendPorts = [...letIn];
      each.joined = unknown;
    });
  };
  await inventory.awaitedPorts.during(writer.name, ports, () =>
    inventory.locks.run(sharedGroupLock(vpcId), context.signal, inTurn),
  );
}

/**
 * Targets whose groups EC2 will tell yet: they are asked about again. Of addresses that no subnet has it never tells any, and
 * what it doesn't know for long is left to the next look.
 */
async function findUnknown(
  { context, inventory, stack }: StackWriter,
  vpcId: string,
): Promise<Map<string, number>> {
  const isOutside = outsideOf(await inventory.network.get(context), vpcId);
  const since = performance.now() - UNTIL_KNOWN_MS;
  const isAwaited = ([id, at]: [string, number]) =>
    at > since && !inventory.groupsOfTargets.has(id) && (id.startsWith('i-') || !isOutside(id));
  return new Map([...stack.joined].filter(isAwaited));
}
