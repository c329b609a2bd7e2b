import type { Subject } from '../../provider.ts';
import type { CallContext } from '../calls/call-aws.ts';
import type { Inventory } from './inventory.ts';
import { type KnownLoadBalancer, type KnownTargetGroup, stillWaits } from './known.ts';
import { readLoadBalancer } from './read-answers.ts';
import { readTargets } from './read-details.ts';

/** Load balancers are asked for 20 at once, target groups one by one. */
const MOST_FOR_STATE_SECONDS = 30;
const MOST_FOR_HEALTH_SECONDS = 60;
const DRIFT_SECONDS = 300;

/**
 * Asks for what takes its time at AWS, where that is due: the state of load balancers that are provisioning, the health of
 * targets that are waited for. Answers when to come again, also for targets that AWS refused; undefined: nothing is waited for.
 */
export async function lookAtStack(
  inventory: Inventory,
  name: string,
  member: string,
  { pods = [], provider }: Pick<Subject, 'pods' | 'provider'>,
  context: CallContext,
): Promise<number | undefined> {
  const driftSeconds = provider.spec.drift?.intervalSeconds ?? DRIFT_SECONDS;
  for (const each of inventory.stack(name).loadBalancers)
    await lookAtLoadBalancer(inventory, name, each, context);
  const stack = inventory.stack(name);
  // Whoever registered them, in whichever life: a gate waits for the answer.
  const gated = new Set(pods.filter((pod) => pod.gated).map(({ address }) => address));
  for (const group of stack.targetGroups) if (group.member === member) markAwaited(group, gated);
  const pending = stack.loadBalancers.filter(isPending);
  // Nobody checks targets before there's somebody to check them.
  const waiting = stack.loadBalancers.every(({ state }) => state === 'provisioning')
    ? []
    : stack.targetGroups.filter((each) => each.waits && each.member === member);
  await Promise.all(waiting.map((each) => lookAtTargets(inventory, name, each, driftSeconds, context)));
  const refused = stack.targetGroups
    .filter((each) => each.member === member)
    .flatMap((each) => (each.refused ?? []).filter(({ look }) => !look.isDue));
  const looks = [...pending, ...waiting.filter(({ waits }) => waits), ...refused].map(
    ({ look }) => look.seconds,
  );
  return looks.length === 0 ? undefined : Math.max(1, Math.ceil(Math.min(...looks)));
}

function markAwaited(group: KnownTargetGroup, gated: ReadonlySet<string>): void {
  for (const target of group.targets ?? []) {
    if (!gated.has(target.id)) continue;
    target.awaited = true;
    group.waits ||= target.health !== 'healthy';
  }
}

async function lookAtLoadBalancer(
  inventory: Inventory,
  name: string,
  loadBalancer: KnownLoadBalancer,
  context: CallContext,
): Promise<void> {
  const { arn, look, tags } = loadBalancer;
  if (!isPending(loadBalancer) || !look.isDue) return;
  look.asked(MOST_FOR_STATE_SECONDS, inventory.firstLookSeconds);
  const answer = await inventory.states.ask(arn, context);
  const stack = inventory.stack(name);
  const known = stack.loadBalancers.find((each) => each.arn === arn);
  if (known === undefined) return;
  if (answer === undefined) {
    inventory.wrote(name, () => {
      stack.loadBalancers = stack.loadBalancers.filter((each) => each.arn !== arn);
    });
    return;
  }
  const read = readLoadBalancer(answer, tags);
  // Addresses and zones come with the state; what a write changed meanwhile stays.
  Object.assign(known, { state: read.state, stateReason: read.stateReason, dnsName: read.dnsName });
  if (read.subnets.length === known.subnets.length) known.subnets = read.subnets;
  known.waits &&= read.state === 'provisioning';
}

function isPending({ state, waits }: KnownLoadBalancer): boolean {
  return state === 'provisioning' || waits;
}

async function lookAtTargets(
  inventory: Inventory,
  name: string,
  group: KnownTargetGroup,
  driftSeconds: number,
  context: CallContext,
): Promise<void> {
  if (!group.look.isDue) return;
  const { writes } = inventory.stack(name);
  group.look.asked(driftSeconds, inventory.firstLookSeconds);
  const targets = await readTargets(inventory.calls, group, context);
  // Registered or deregistered meanwhile: what was read is of before.
  if (targets === undefined || inventory.stack(name).writes !== writes) return;
  group.targets = targets;
  group.waits = stillWaits(targets);
  const begins = targets.some(({ health }) => health === 'initial');
  if (group.waits && begins && group.look.seconds > MOST_FOR_HEALTH_SECONDS)
    group.look.comeWithin(MOST_FOR_HEALTH_SECONDS);
}
