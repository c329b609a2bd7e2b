import type { Finding } from '../../provider.ts';
import type { AwsChange } from '../changes.ts';
import type { AwsModel } from '../model.ts';
import type { AwsObserved, ObservedLoadBalancer, ObservedTargetGroup } from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';
import { type Current, chooseCurrent, isHeld, mayReplace } from './choose-current.ts';
import { diffListeners, removeListener } from './diff-listeners.ts';
import { createLoadBalancer, diffLoadBalancer } from './diff-load-balancer.ts';
import { deleteLoadBalancer, deleteTargetGroup, diffRemoval, handBack, isSomebodys } from './diff-removal.ts';
import { diffSecurityGroup } from './diff-security-group.ts';
import { diffTags } from './diff-tags.ts';
import { diffTargetGroup } from './diff-target-groups.ts';
import { diffTargets } from './diff-targets.ts';
import { placeTargets } from './place-targets.ts';
import { askToConfirm } from './plan-adoption.ts';
import { refusePlan } from './refuse-plan.ts';
import { resolveSubnets } from './resolve-subnets.ts';
import { tellGroups, withPlannedGroup } from './tell-groups.ts';

export type Plan =
  | {
      kind: 'changes';
      changes: AwsChange[];
      /** What can't be brought to what it ought to be, though all else can. */
      obstacle?: Finding;
    }
  | { kind: 'refused'; finding: Finding };

/** The calls from what there is to what ought to be, creations before deletions. */
export function diffModel(model: AwsModel | undefined, observed: AwsObserved): AwsChange[] {
  if (model === undefined) return diffRemoval(observed);
  const plan = planModel(model, observed);
  return plan.kind === 'changes' ? plan.changes : [];
}

/** The same, or why nothing may be done. */
export function planModel(model: AwsModel, observed: AwsObserved): Plan {
  const current = chooseCurrent(model, observed);
  const refusal = refusePlan(current, observed);
  if (refusal !== undefined) return { kind: 'refused', finding: refusal };
  const { loadBalancer } = current;
  if (loadBalancer === undefined) return planNew(current, observed);
  if (isOurs(loadBalancer, observed)) return planPresent(current, loadBalancer, observed);
  return planAdoption(current, loadBalancer, observed);
}

function planNew(current: Current, observed: AwsObserved): Plan {
  const { model } = current;
  const resolved = resolveSubnets(model.loadBalancer, observed.network ?? { vpcId: undefined, subnets: [] });
  if (resolved.kind === 'refused') {
    return { kind: 'refused', finding: { reason: resolved.reason, message: resolved.message } };
  }
  const { mappings, vpcId } = resolved;
  const changes = planChanges(current, observed, { vpcId, changes: createLoadBalancer(model, mappings) });
  return { kind: 'changes', changes };
}

function planPresent(current: Current, loadBalancer: ObservedLoadBalancer, observed: AwsObserved): Plan {
  const { model } = current;
  const { changes, ...rest } = model.leads
    ? diffLoadBalancer(model, loadBalancer, observed)
    : { changes: [] };
  const { vpcId } = loadBalancer;
  return { kind: 'changes', changes: planChanges(current, observed, { vpcId, changes }), ...rest };
}

/** What isn't ours may only be tagged: that is the first change, and makes it ours. */
function planAdoption(current: Current, loadBalancer: ObservedLoadBalancer, observed: AwsObserved): Plan {
  const { model } = current;
  const own = { ...model.loadBalancer.tags, [OWNER_TAGS.adopted]: 'true' };
  const tags = diffTags({ kind: 'LoadBalancer', name: loadBalancer.name }, loadBalancer.tags, own);
  const asOurs = { ...loadBalancer, tags: { ...loadBalancer.tags, ...own } };
  const { changes, ...rest } = diffLoadBalancer(model, asOurs, observed);
  const { vpcId } = loadBalancer;
  const groups = tellGroups(model, observed, vpcId);
  const whole = diffLoadBalancer(model, asOurs, withPlannedGroup(model, observed)).changes;
  const told = [...groups.before, ...whole.map(({ summary }) => summary), ...groups.after];
  const refusal = askToConfirm(model, loadBalancer, told);
  if (refusal !== undefined) return { kind: 'refused', finding: refusal };
  return {
    kind: 'changes',
    changes: [...tags, ...planChanges(current, observed, { vpcId, changes })],
    ...rest,
  };
}

function isOurs({ arn }: ObservedLoadBalancer, { loadBalancers }: AwsObserved): boolean {
  return loadBalancers.some((each) => each.arn === arn);
}

function planChanges(
  current: Current,
  observed: AwsObserved,
  whole: { vpcId: string; changes: AwsChange[] },
): AwsChange[] {
  const { former, loadBalancer, model } = current;
  const groups = diffSecurityGroup(model, observed, whole.vpcId);
  const findGroup = (name: string) => observed.targetGroups.find((group) => group.name === name);
  const targets = model.targetGroups.map((group) =>
    diffTargets(placeTargets(group, observed.network, whole.vpcId), findGroup(group.name)),
  );
  const targetGroups = model.targetGroups.flatMap((group) =>
    diffTargetGroup(group, findGroup(group.name), whole.vpcId),
  );
  const listeners = diffListeners(model, loadBalancer, observed);
  const moves = targetGroups.filter(leadsElsewhere);
  const isMoved = moves.length > 0 || listeners.set.some(leadsElsewhere);
  const serves = mayReplace(current, observed);
  const isNeeded = ({ listeners: found }: ObservedLoadBalancer) => found.some((each) => isHeld(model, each));
  const replaced = model.leads && serves ? former.filter((each) => !isNeeded(each)) : [];
  const kept = former.filter((each) => !replaced.includes(each));
  const left = serves ? kept.map((each) => withoutMember(each, model.member)) : kept;
  return [
    ...groups.before,
    ...whole.changes,
    ...targetGroups.filter((each) => !moves.includes(each)),
    ...targets.flatMap(({ register }) => register),
    // What serves is led to other ports only when nodes let these in, what is new waits for nobody.
    ...(isMoved ? [...groups.backend, ...moves, ...listeners.set] : [...listeners.set, ...groups.backend]),
    ...targets.flatMap(({ deregister }) => deregister),
    ...listeners.remove,
    ...replaced.flatMap((each) =>
      isSomebodys(each) ? handBack(each, observed) : [deleteLoadBalancer(each)],
    ),
    ...(serves ? kept.flatMap((each) => leave(each, model.member)) : []),
    ...findUnused(model, observed, left).map(deleteTargetGroup),
    // A former one that serves still needs what it was made with.
    ...(kept.length === 0 ? groups.after : []),
  ];
}

/** Whether traffic or health checks go to other ports from then on. */
function leadsElsewhere({ fields = [] }: AwsChange): boolean {
  return fields.some(({ field }) => field === 'targetGroup' || field === 'healthCheck.port');
}

/** What of one that serves others still is this member's. */
function leave({ listeners, name }: ObservedLoadBalancer, member: string): AwsChange[] {
  return listeners.filter((each) => each.member === member).map((each) => removeListener(name, each));
}

function withoutMember(loadBalancer: ObservedLoadBalancer, member: string): ObservedLoadBalancer {
  return { ...loadBalancer, listeners: loadBalancer.listeners.filter((each) => each.member !== member) };
}

/** Target groups of this member that nothing leads to once the plan is done. */
function findUnused(
  model: AwsModel,
  observed: AwsObserved,
  kept: readonly ObservedLoadBalancer[],
): ObservedTargetGroup[] {
  const wanted = new Set(model.targetGroups.map(({ name }) => name));
  const used = new Set(
    kept.flatMap(({ listeners }) => listeners.map(({ targetGroupArn }) => targetGroupArn)),
  );
  return observed.targetGroups.filter(
    ({ arn, member, name }) => member === model.member && !wanted.has(name) && !used.has(arn),
  );
}
