import type { Subject } from '../../provider.ts';
import type { CallContext } from '../calls/call-aws.ts';
import type { AwsModel } from '../model.ts';
import type { AwsObserved, ObservedLoadBalancer, ObservedTargetGroup } from '../observed.ts';
import { memberOf, stackOf } from '../stack-of.ts';
import { assumeApplied, lacksDetails } from './assume-applied.ts';
import type { Inventory } from './inventory.ts';
import {
  type KnownLoadBalancer,
  type KnownStack,
  type KnownTargetGroup,
  membersOf,
  ownListeners,
} from './known.ts';
import { lookAtStack } from './look-at-stack.ts';
import { portsLetIn } from './node-rules.ts';
import { observeAdoptable } from './observe-adoptable.ts';

/** Before something is made, free addresses of subnets are known as of this long ago. */
const FRESH_NETWORK_MS = 60_000;

/** What there is of one load balancer: from memory, as far as that goes. */
export async function observeSubject(
  inventory: Inventory,
  subject: Subject,
  applied: AwsModel | undefined,
  signal: AbortSignal,
): Promise<AwsObserved> {
  const context: CallContext = { turn: subject.id.namespace, inBackground: false, signal };
  const name = stackOf(subject);
  const member = memberOf(subject);
  await inventory.ready(signal);
  if (applied !== undefined) assumeApplied(inventory.stack(name), applied);
  const adoptable = await observeAdoptable(inventory, subject, context);
  await resolveGroupNames(inventory, subject, context);
  const observed = await observeStack(
    inventory,
    name,
    { member, subject, leads: applied?.leads ?? true },
    context,
  );
  const others: KnownStack[] = [];
  for (const stack of inventory.stacks) if (stack.name !== name && isIn(stack, member)) others.push(stack);
  const elsewhere: NonNullable<AwsObserved['elsewhere']> = [];
  for (const { name: stack } of others) {
    const input = { member, subject, leads: true };
    elsewhere.push({ stack, observed: await observeStack(inventory, stack, input, context) });
  }
  return {
    ...observed,
    ...(adoptable === undefined ? {} : { adoptable }),
    ...(elsewhere.length === 0 ? {} : { elsewhere }),
  };
}

async function observeStack(
  inventory: Inventory,
  name: string,
  { leads, member, subject }: { leads: boolean; member: string; subject: Subject },
  context: CallContext,
): Promise<AwsObserved> {
  const lacks = () => lacksDetails(inventory.stack(name), member, leads);
  if (lacks()) {
    await inventory.locks.run(name, context.signal, async () => {
      if (lacks()) await inventory.readDetails([name], context);
    });
  }
  const isNew = inventory.stack(name).loadBalancers.length === 0;
  const network = await inventory.network.get(context, isNew ? FRESH_NETWORK_MS : undefined);
  const again = await lookAtStack(inventory, name, member, subject, context);
  const stack = inventory.stack(name);
  const { securityGroup } = stack;
  return {
    loadBalancers: stack.loadBalancers.map((each) => tellLoadBalancer(each, stack, inventory)),
    targetGroups: stack.targetGroups.map(tellTargetGroup),
    securityGroup: securityGroup && { ...securityGroup, ingress: [...securityGroup.ingress] },
    ...tellNodeRules(inventory, stack, subject.provider.name),
    network,
    member,
    members: membersOf(stack),
    lookAgainAfterSeconds: again,
  };
}

/** For ids to be told by the names that the model has. */
async function resolveGroupNames(
  inventory: Inventory,
  subject: Subject,
  context: CallContext,
): Promise<void> {
  const given = subject.spec?.aws?.securityGroups ?? subject.provider.spec.aws?.securityGroups ?? [];
  if (subject.spec === undefined) return;
  await Promise.all(given.map((each) => inventory.groupNames.resolve(each, context)));
}

function isIn(stack: KnownStack, member: string): boolean {
  if (stack.name === member || stack.targetGroups.some((each) => each.member === member)) return true;
  return stack.loadBalancers.some(({ listeners }) => listeners.some((each) => each.member === member));
}

/**
 * Of the security groups, the shared one of the cluster goes with the managed one, so it isn't told: where it was taken away,
 * both are told as missing, and come back together. Those that people name are told by these names.
 */
export function tellLoadBalancer(
  known: KnownLoadBalancer,
  stack: KnownStack,
  inventory: Pick<Inventory, 'groupNames' | 'isSharedGroup'>,
): ObservedLoadBalancer {
  const { look: _look, listenersOf: _listenersOf, waits: _waits, ...rest } = known;
  const hasShared = known.securityGroups.some((id) => inventory.isSharedGroup(id));
  const securityGroups = known.securityGroups
    .filter((id) => !inventory.isSharedGroup(id) && (hasShared || id !== stack.securityGroup?.id))
    .map((id) => inventory.groupNames.nameOf(id) ?? id);
  return { ...rest, securityGroups, attributes: { ...known.attributes }, listeners: ownListeners(known) };
}

function tellNodeRules(
  inventory: Inventory,
  stack: KnownStack,
  provider: string,
): Pick<AwsObserved, 'backendPorts' | 'sharedGroup'> {
  const { backendPorts, joined, name, securityGroup } = stack;
  const shared = securityGroup && inventory.sharedGroupOf(provider, securityGroup.vpcId);
  if (shared === undefined) return { backendPorts };
  const { id, ingress } = shared;
  const rules = inventory.nodeRules.get(id);
  const trouble = rules?.troubles.get(name);
  return {
    backendPorts: portsLetIn(stack, rules),
    sharedGroup: {
      id,
      ingress: [...ingress],
      strays: [...(rules?.strays ?? [])],
      ...(trouble === undefined ? {} : { trouble }),
      joined: new Set(joined.keys()),
      reached: rules?.reached,
    },
  };
}

function tellTargetGroup(known: KnownTargetGroup): ObservedTargetGroup {
  const { look: _look, refused = [], waits: _waits, targets, attributes, ...rest } = known;
  const told = (targets ?? []).map(({ health, id, port, reason }) => ({ id, port, health, reason }));
  const left = refused
    .filter(({ look }) => !look.isDue)
    .map(({ id, port, reason }) => ({ id, port, reason }));
  const observed = { ...rest, attributes: { ...attributes }, targets: told };
  return left.length === 0 ? observed : { ...observed, refused: left };
}
