import { whileAwaited } from './awaited-ports.ts';
import { syncNodeRules } from './backend-rules.ts';
import { ensureSharedGroup, sharedGroupLock } from './shared-group.ts';
import type { ChangeOf, StackWriter } from './stack-writer.ts';

/** Brings the rules of the nodes to what this stack needs now, beside what the others do. */
export async function syncBackendRules(
  writer: StackWriter,
  { ports }: ChangeOf<'SyncBackendRules'>,
): Promise<void> {
  const { inventory, context, stack } = writer;
  const vpcId = stack.securityGroup?.vpcId;
  if (vpcId === undefined) return;
  const shared =
    ports.length === 0
      ? inventory.sharedGroupOf(writer.provider, vpcId)
      : await ensureSharedGroup(writer, vpcId);
  const inTurn = async () => {
    if (shared !== undefined) {
      const synced = await syncNodeRules(writer, vpcId, shared.id, ports);
      // Without a target nothing needs to be reached; it's done with the first one.
      if (synced === 'no nodes' && ports.length > 0) return;
    }
    writer.wrote((each) => {
      each.backendPorts = [...ports];
    });
  };
  await whileAwaited(inventory, writer.name, ports, () =>
    inventory.locks.run(sharedGroupLock(vpcId), context.signal, inTurn),
  );
}
