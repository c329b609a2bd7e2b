import type { AwsModel, ListenerModel, TargetGroupModel } from '../model.ts';
import type { ObservedListener } from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';
import type { KnownLoadBalancer, KnownStack, KnownTargetGroup } from './known.ts';

/**
 * Takes what nobody read yet to be as it was applied: with the ownership known by tags, that needs no calls. Drift is found
 * by the next sweep. Where the names don't fit, nothing is taken for granted.
 */
export function assumeApplied(stack: KnownStack, applied: AwsModel): void {
  for (const group of stack.targetGroups) {
    const model = applied.targetGroups.find(({ name }) => name === group.name);
    if (model !== undefined) assumeTargetGroup(group, model);
  }
  for (const each of stack.loadBalancers) {
    if (isOf(each, applied)) assumeLoadBalancer(each, stack, applied);
  }
  // One that was adopted may have no group, whatever the model says.
  if (applied.leads && stack.securityGroup !== undefined)
    stack.backendPorts ??= applied.securityGroup?.backend?.ports ?? [];
}

/** One that was adopted has the name that it had, and its listeners may be others', too: they are read. */
function isOf({ name, tags, variant }: KnownLoadBalancer, { loadBalancer }: AwsModel): boolean {
  if (isAdopted(tags)) return false;
  return name === loadBalancer.name || variant === loadBalancer.variant;
}

function isAdopted(tags: Readonly<Record<string, string>>): boolean {
  return tags[OWNER_TAGS.adopted] !== undefined;
}

function assumeTargetGroup(group: KnownTargetGroup, model: TargetGroupModel): void {
  group.attributes ??= { ...model.attributes };
  if (group.targets !== undefined) return;
  group.targets = model.targets.map(({ gated, id, port }) => ({
    id,
    port,
    health: undefined,
    reason: undefined,
    awaited: gated,
  }));
  group.waits = model.targets.some(({ gated }) => gated);
}

function assumeLoadBalancer(loadBalancer: KnownLoadBalancer, stack: KnownStack, applied: AwsModel): void {
  if (applied.leads) loadBalancer.attributes ??= { ...applied.loadBalancer.attributes };
  const { listenersOf } = loadBalancer;
  if (listenersOf === 'all' || listenersOf.has(applied.member)) return;
  listenersOf.add(applied.member);
  for (const model of applied.listeners) loadBalancer.listeners.push(asListener(model, stack, applied));
}

function asListener(model: ListenerModel, stack: KnownStack, applied: AwsModel): ObservedListener {
  const name = applied.targetGroups.find(({ key }) => key === model.targetGroup)?.name;
  return {
    arn: undefined,
    key: model.key,
    member: applied.member,
    port: model.port,
    protocol: model.protocol,
    certificates: [...model.certificates],
    sslPolicy: model.sslPolicy,
    alpnPolicy: model.alpnPolicy,
    attributes: { ...model.attributes },
    targetGroupArn: stack.targetGroups.find((group) => group.name === name)?.arn,
    tags: { ...model.tags },
  };
}

/** Whether anything of what concerns this member wasn't read, written or assumed yet. */
export function lacksDetails(stack: KnownStack, member: string, leads: boolean): boolean {
  return (
    stack.loadBalancers.some(
      ({ attributes, listenersOf }) =>
        (leads && attributes === undefined) || (listenersOf !== 'all' && !listenersOf.has(member)),
    ) ||
    stack.targetGroups.some(
      (each) => each.member === member && (each.targets === undefined || each.attributes === undefined),
    )
  );
}
