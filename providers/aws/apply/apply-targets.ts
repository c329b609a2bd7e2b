import { chunk } from '../calls/pages.ts';
import type { KnownTarget } from '../observe/known.ts';
import { targetKey } from '../observe/read-answers.ts';
import { targetsOf } from './read-node-rules.ts';
import type { ChangeOf, StackWriter } from './stack-writer.ts';

/** Of one call; AWS takes more, but refuses all of them for one that is wrong. */
const TARGETS_A_CALL = 200;

/** Registering one that is registered does nothing, so it may be done again. */
export async function registerTargets(
  writer: StackWriter,
  { name, targets }: ChangeOf<'RegisterTargets'>,
): Promise<void> {
  const { arn } = writer.targetGroup(name);
  for (const some of chunk(targets, TARGETS_A_CALL)) {
    const Targets = some.map(({ id, port, zone }) => ({
      Id: id,
      Port: port,
      ...(zone === undefined ? {} : { AvailabilityZone: zone }),
    }));
    await writer.call('RegisterTargets', { TargetGroupArn: arn, Targets });
    const registered: KnownTarget[] = some.map(({ gated, id, port }) => ({
      id,
      port,
      health: undefined,
      reason: undefined,
      awaited: gated,
    }));
    writer.wrote((stack) => {
      const present = new Set(targetsOf(stack));
      for (const { id } of registered) if (!present.has(id)) stack.joined.set(id, performance.now());
      const group = writer.targetGroup(name);
      group.targets = [...without(group.targets, registered), ...registered];
      group.waits = true;
      group.look.restart();
    });
  }
}

/** What leaves keeps its connections for as long as the group's deregistration delay says; AWS sees to that. */
export async function deregisterTargets(
  writer: StackWriter,
  { name, targets }: ChangeOf<'DeregisterTargets'>,
): Promise<void> {
  const { arn } = writer.targetGroup(name);
  for (const some of chunk(targets, TARGETS_A_CALL)) {
    const Targets = some.map(({ id, port }) => ({ Id: id, Port: port }));
    await writer.call('DeregisterTargets', { TargetGroupArn: arn, Targets });
    writer.wrote((stack) => {
      const group = writer.targetGroup(name);
      group.targets = without(group.targets, some);
      const left = new Set(targetsOf(stack));
      for (const { id } of some) if (!left.has(id)) stack.joined.delete(id);
    });
  }
}

function without(
  targets: readonly KnownTarget[] | undefined,
  leaving: readonly { id: string; port: number }[],
): KnownTarget[] {
  const keys = new Set(leaving.map(targetKey));
  return (targets ?? []).filter((target) => !keys.has(targetKey(target)));
}
