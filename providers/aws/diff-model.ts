import type { Finding } from '../provider.ts';
import type { AwsChange } from './changes.ts';
import { type Current, chooseCurrent, mayReplace } from './choose-current.ts';
import { diffListeners, findTakenPorts } from './diff-listeners.ts';
import { createLoadBalancer, diffLoadBalancer } from './diff-load-balancer.ts';
import { deleteLoadBalancer, deleteTargetGroup, diffRemoval } from './diff-removal.ts';
import { diffSecurityGroup } from './diff-security-group.ts';
import { diffTargetGroup } from './diff-target-groups.ts';
import { diffTargets } from './diff-targets.ts';
import type { AwsModel, SubnetMappingModel } from './model.ts';
import { digestOf } from './name-resources.ts';
import type { AwsObserved } from './observed.ts';
import { resolveSubnets } from './resolve-subnets.ts';

export type Plan = { kind: 'changes'; changes: AwsChange[] } | { kind: 'refused'; finding: Finding };

/** The calls from what there is to what ought to be, creations before deletions. */
export function diffModel(model: AwsModel | undefined, observed: AwsObserved): AwsChange[] {
  if (model === undefined) return diffRemoval(observed);
  const plan = planModel(model, observed);
  return plan.kind === 'changes' ? plan.changes : [];
}

/** The same, or why nothing may be done. */
export function planModel(model: AwsModel, observed: AwsObserved): Plan {
  const current = chooseCurrent(model, observed);
  const place = findPlace(current, observed);
  if (place.kind === 'refused') return place;
  const refusal = refuse(current);
  if (refusal !== undefined) return { kind: 'refused', finding: refusal };
  const changes = planChanges(current, observed, place);
  const isAdopted = observed.loadBalancers.some(({ arn }) => arn === model.adopt?.arn);
  return model.adopt === undefined || isAdopted ? { kind: 'changes', changes } : askToConfirm(model, changes);
}

interface Place {
  kind: 'found';
  vpcId: string;
  /** Empty where there's a load balancer already. */
  mappings: SubnetMappingModel[];
}

/** Where it is, or where it can be. */
function findPlace({ loadBalancer, model }: Current, { network }: AwsObserved) {
  if (loadBalancer !== undefined)
    return { kind: 'found', vpcId: loadBalancer.vpcId, mappings: [] } satisfies Place;
  const resolved = resolveSubnets(model.loadBalancer, network ?? { vpcId: undefined, subnets: [] });
  if (resolved.kind === 'resolved') return { ...resolved, kind: 'found' } satisfies Place;
  const { message, reason } = resolved;
  return { kind: 'refused', finding: { reason, message } } satisfies Plan;
}

function refuse({ loadBalancer, model }: Current): Finding | undefined {
  const [first] = model.refusals;
  if (first !== undefined) {
    return { reason: first.reason, message: model.refusals.map(({ message }) => message).join(' ') };
  }
  const { adopt, loadBalancer: wanted } = model;
  if (adopt !== undefined && loadBalancer !== undefined && loadBalancer.scheme !== wanted.scheme) {
    const message = `Load balancer ${adopt.arn} is ${loadBalancer.scheme}, ${wanted.scheme} is asked for, and AWS can't change that: ask for the other scheme, or adopt another one.`;
    return { reason: 'SchemeOfAdoptedDiffers', message };
  }
  const taken = findTakenPorts(model, loadBalancer);
  if (taken.length === 0) return undefined;
  const message = `Load balancer ${wanted.name} has listeners on port ${taken.join(', ')} that aren't ours: delete them, or take another port.`;
  return { reason: 'PortTaken', message };
}

function planChanges(current: Current, observed: AwsObserved, { mappings, vpcId }: Place): AwsChange[] {
  const { former, loadBalancer, model } = current;
  const groups = diffSecurityGroup(model, observed, vpcId);
  const findGroup = (name: string) => observed.targetGroups.find((group) => group.name === name);
  const targets = model.targetGroups.map((group) => diffTargets(group, findGroup(group.name)));
  const listeners = diffListeners(model, loadBalancer, observed);
  const replaced = model.leads && mayReplace(current, observed) ? former : [];
  return [
    ...groups.before,
    ...model.targetGroups.flatMap((group) => diffTargetGroup(group, findGroup(group.name), vpcId)),
    ...(loadBalancer === undefined
      ? createLoadBalancer(model, mappings)
      : model.leads
        ? diffLoadBalancer(model, loadBalancer, observed)
        : []),
    ...targets.flatMap(({ register }) => register),
    ...listeners.set,
    ...targets.flatMap(({ deregister }) => deregister),
    ...listeners.remove,
    ...replaced.map(deleteLoadBalancer),
    ...findUnused(current, observed, replaced.length > 0).map(deleteTargetGroup),
    ...groups.after,
  ];
}

/** Target groups of this member that nothing leads to once the plan is done. */
function findUnused({ former, model }: Current, observed: AwsObserved, formerGo: boolean) {
  const wanted = new Set(model.targetGroups.map(({ name }) => name));
  const stillUsed = new Set(
    formerGo ? [] : former.flatMap(({ listeners }) => listeners.map(({ targetGroupArn }) => targetGroupArn)),
  );
  return observed.targetGroups.filter(
    ({ arn, member, name }) => member === model.member && !wanted.has(name) && !stillUsed.has(arn),
  );
}

/** Nothing of somebody else's is changed before what would be is shown, and confirmed by its digest. */
function askToConfirm({ adopt }: AwsModel, changes: AwsChange[]): Plan {
  const token = digestOf(changes.map(({ summary }) => summary)).slice(0, 12);
  if (adopt?.confirmed === token) return { kind: 'changes', changes };
  const list = changes.map(({ summary }) => `${summary}.`).join(' ');
  const message = `Adopting ${adopt?.arn ?? ''} would do this: ${list} To have it done, annotate the Service with fairlead.dev/adopt-confirmed: "${token}".`;
  return { kind: 'refused', finding: { reason: 'AdoptionNotConfirmed', message } };
}
