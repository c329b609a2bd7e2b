import { isClass } from '../../../kube/errors.ts';
import { chunk } from '../calls/pages.ts';
import type { TargetModel } from '../model.ts';
import type { KnownRefusal, KnownTarget } from '../observe/known.ts';
import { Look } from '../observe/look.ts';
import { targetKey } from '../observe/read-answers.ts';
import { targetsOf } from './read-node-rules.ts';
import type { ChangeOf, StackWriter } from './stack-writer.ts';

/** Of one call; AWS takes more, but refuses all of them for one that is wrong. */
const TARGETS_A_CALL = 200;
/** The longest that a target which AWS refused is left out: nobody tells when it's mended. */
const MOST_REFUSED_SECONDS = 600;

/**
 * Registering one that is registered does nothing, so it may be done again. One that AWS refuses (its instance is stopped, or in
 * another VPC; its address is none) keeps no other out: it is remembered with the reason, and tried again later.
 */
export async function registerTargets(
  writer: StackWriter,
  { name, targets }: ChangeOf<'RegisterTargets'>,
): Promise<void> {
  for (const some of chunk(targets, TARGETS_A_CALL)) await register(writer, name, some);
}

async function register(writer: StackWriter, name: string, targets: readonly TargetModel[]): Promise<void> {
  if (targets.length === 0) return;
  const { arn } = writer.targetGroup(name);
  const Targets = targets.map(({ id, port, zone }) => ({
    Id: id,
    Port: port,
    ...(zone === undefined ? {} : { AvailabilityZone: zone }),
  }));
  try {
    await writer.call('RegisterTargets', { TargetGroupArn: arn, Targets });
  } catch (error) {
    const refused = findRefused(error, targets);
    if (refused === undefined) throw error;
    const others = targets.filter((each) => !refused.includes(each));
    if (others.length < targets.length) {
      noteRefused(writer, name, refused, messageOf(error));
      await register(writer, name, others);
      return;
    }
    // It isn't said which.
    const half = Math.ceil(targets.length / 2);
    await register(writer, name, targets.slice(0, half));
    await register(writer, name, targets.slice(half));
    return;
  }
  noteRegistered(writer, name, targets);
}

/**
 * Those that AWS refuses by name, or the only one; none: it names nobody. undefined: it's no matter of single targets.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html#API_RegisterTargets_Errors
 */
function findRefused(error: unknown, targets: readonly TargetModel[]): readonly TargetModel[] | undefined {
  if (!isClass(error) || !['InvalidTarget', 'ValidationError'].includes(error.reason)) return undefined;
  const message = messageOf(error.cause ?? error);
  const named = targets.filter(({ id }) => isNamed(id, message));
  if (named.length > 0) return named;
  if (error.reason !== 'InvalidTarget') return undefined;
  return targets.length === 1 ? targets : [];
}

/** 10.0.0.1 isn't named by 10.0.0.12. */
function isNamed(id: string, message: string): boolean {
  const escaped = id.replaceAll('.', '\\.');
  return new RegExp(`(?<![\\w.:-])${escaped}(?![\\w:]|\\.\\w)`).test(message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function noteRefused(
  writer: StackWriter,
  name: string,
  targets: readonly TargetModel[],
  reason: string,
): void {
  writer.wrote(() => {
    const group = writer.targetGroup(name);
    const { refused = [] } = group;
    const now = targets.map(({ id, port }): KnownRefusal => {
      const before = refused.find((each) => each.id === id && each.port === port);
      const look = before?.look ?? new Look({ soon: true });
      look.asked(MOST_REFUSED_SECONDS, writer.inventory.firstLookSeconds);
      return { id, port, reason, look };
    });
    group.refused = [...without(refused, targets), ...now];
  });
}

function noteRegistered(writer: StackWriter, name: string, targets: readonly TargetModel[]): void {
  const registered: KnownTarget[] = targets.map(({ gated, id, port }) => ({
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
    group.refused = without(group.refused, registered);
    group.waits = true;
    group.look.restart(writer.inventory.firstLookSeconds);
  });
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

function without<T extends { id: string; port: number }>(
  targets: readonly T[] | undefined,
  leaving: readonly { id: string; port: number }[],
): T[] {
  const keys = new Set(leaving.map(targetKey));
  return (targets ?? []).filter((target) => !keys.has(targetKey(target)));
}
