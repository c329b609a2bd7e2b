import type { LoadBalancerIngress } from '../../kube/objects.ts';
import type { Finding, ProviderStatus } from '../provider.ts';
import { type Current, chooseCurrent, mayReplace } from './diff/choose-current.ts';
import { describeOthers, isLeftTo } from './diff/describe-others.ts';
import { planModel } from './diff/diff-model.ts';
import type { AwsModel, TargetGroupModel } from './model.ts';
import type { AwsObserved, ObservedLoadBalancer, ObservedTarget, RefusedTarget } from './observed.ts';

const NAMED = 3;
const REPLACING = 'Replacing';
const REPLACING_SECONDS = 2;
const OTHERS_SECONDS = 10;

/** What the outside sees: the former load balancer for as long as the new one doesn't serve. */
export function tellStatus(model: AwsModel, observed: AwsObserved): ProviderStatus {
  const current = chooseCurrent(model, observed);
  const left = current.former.filter((each) => !isLeftTo(current, each));
  const [former] = [...left, ...findElsewhere(model, observed)];
  const isNew = former === undefined || mayReplace(current, observed);
  const serving = (isNew ? current.loadBalancer : former) ?? former;
  const notProgrammed = findObstacle(current, observed);
  const shown = serving !== undefined && isShown(serving, current.model, observed) ? serving : undefined;
  const counts = countTargets(current.model.targetGroups, observed);
  // What others do on a shared one isn't told by AWS: it is looked at, in memory.
  const others = describeOthers(current, observed);
  const isReplacing = notProgrammed?.reason === REPLACING;
  const othersSeconds = isReplacing ? REPLACING_SECONDS : others === undefined ? undefined : OTHERS_SECONDS;
  const againAfterSeconds = soonest(observed.lookAgainAfterSeconds, othersSeconds);
  // What was taken for granted after a restart wasn't asked about, and nobody waits for it.
  const isUnknown = counts.unasked > 0 && observed.lookAgainAfterSeconds === undefined;
  const unhealthy =
    notProgrammed === undefined && !isUnknown
      ? withRefused(explainHealth(current.model, counts), counts)
      : undefined;
  return {
    ...(shown === undefined ? {} : { providerID: shown.arn }),
    ingress: shown === undefined ? [] : toIngress(shown, model),
    ...(notProgrammed === undefined ? {} : { notProgrammed }),
    ...(isUnknown ? {} : { targets: { desired: counts.desired, healthy: counts.healthy } }),
    ...(unhealthy === undefined ? {} : { unhealthy }),
    healthyPods: findHealthyPods(current.model.targetGroups, observed),
    ...(others === undefined ? {} : { waitsForOthers: others }),
    ...(isReplacing ? { onlyWaits: true } : {}),
    ...(againAfterSeconds === undefined ? {} : { againAfterSeconds }),
  };
}

/**
 * Its name; and its addresses, where people chose them. These are Proxy whatever the targets are, and a name has no ipMode,
 * which the API server takes beside an ip alone (KEP-1860): VIP says that packets reach the node with the load balancer's
 * address as their destination, and an NLB puts the target's there, an instance's as well as a pod's
 * (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html#client-ip-preservation keeps
 * the source alone). Said to be VIP, pods would reach their node's own proxy past the load balancer's TLS and PROXY protocol.
 */
function toIngress(
  { dnsName, subnets }: ObservedLoadBalancer,
  { loadBalancer }: AwsModel,
): LoadBalancerIngress[] {
  const { subnets: choice } = loadBalancer;
  const isFixed =
    choice.kind === 'given'
      ? choice.mappings.some(
          (each) => (each.allocationId ?? each.privateIPv4Address ?? each.ipv6Address) !== undefined,
        )
      : choice.elasticIPs.length + choice.privateAddresses.length + choice.ipv6Addresses.length > 0;
  const addresses = isFixed ? subnets.flatMap((subnet) => subnet.addresses) : [];
  // Of the eight entries that there's room for.
  const names = dnsName === '' ? [] : [{ hostname: dnsName }];
  return [...names, ...addresses.slice(0, 7).map((ip) => ({ ip, ipMode: 'Proxy' as const }))];
}

function soonest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}

/** What serves it in another stack, from before it shared, or shared no more. */
function findElsewhere({ member }: AwsModel, { elsewhere = [] }: AwsObserved): ObservedLoadBalancer[] {
  const left = elsewhere.flatMap(({ observed }) => observed.loadBalancers);
  return left.filter(({ listeners }) => listeners.some((each) => each.member === member));
}

/** One that isn't adopted yet isn't ours to show, and neither is one of others that this one may not share. */
function isShown(
  { arn, listeners }: ObservedLoadBalancer,
  { accepted, member }: AwsModel,
  { elsewhere = [], loadBalancers }: AwsObserved,
): boolean {
  const ours = [...loadBalancers, ...elsewhere.flatMap(({ observed }) => observed.loadBalancers)];
  if (!ours.some((each) => each.arn === arn)) return false;
  return accepted?.includes(member) !== false || listeners.some((each) => each.member === member);
}

function findObstacle(current: Current, observed: AwsObserved): Finding | undefined {
  const { former, loadBalancer, model } = current;
  const plan = planModel(model, observed);
  if (plan.kind === 'refused') return plan.finding;
  if (loadBalancer === undefined) {
    return { reason: 'Provisioning', message: 'The load balancer is not there yet.' };
  }
  const { name, state, stateReason } = loadBalancer;
  const why = stateReason === undefined ? '' : ` AWS says: ${stateReason}`;
  if (state === 'failed') {
    return { reason: 'LoadBalancerFailed', message: `AWS could not set up load balancer ${name}.${why}` };
  }
  if (state === 'provisioning') {
    return {
      reason: 'Provisioning',
      message: `AWS is setting up load balancer ${name}, which takes some minutes.`,
    };
  }
  const replaced = former.find((each) => !isLeftTo(current, each)) ?? findElsewhere(model, observed)[0];
  if (replaced !== undefined) {
    const message = `Load balancer ${name} takes the place of ${replaced.name}, which serves until that has a healthy target.`;
    return { reason: REPLACING, message };
  }
  return plan.obstacle;
}

interface Counts {
  desired: number;
  healthy: number;
  /** Those that aren't, with AWS' reasons. */
  others: ObservedTarget[];
  unasked: number;
  refused: RefusedTarget[];
}

function countTargets(groups: readonly TargetGroupModel[], { targetGroups }: AwsObserved): Counts {
  const counts: Counts = { desired: 0, healthy: 0, others: [], unasked: 0, refused: [] };
  for (const group of groups) {
    const { refused = [], targets: found = [] } = targetGroups.find(({ name }) => name === group.name) ?? {};
    counts.desired += group.targets.length;
    for (const { id, port } of group.targets) {
      const isIt = (each: { id: string; port: number }) => each.id === id && each.port === port;
      const target = found.find(isIt);
      const refusal = refused.find(isIt);
      if (target?.health === 'healthy') counts.healthy++;
      else if (refusal !== undefined) counts.refused.push(refusal);
      else if (target?.health === undefined) counts.unasked++;
      else counts.others.push(target);
    }
  }
  return counts;
}

/** One healthy target is enough to serve; with externalTrafficPolicy Local those without an endpoint never are. */
function explainHealth(
  { foreignNodes }: AwsModel,
  { desired, healthy, others, refused, unasked }: Counts,
): Finding | undefined {
  if (healthy > 0) return undefined;
  if (desired === 0) {
    const foreign =
      foreignNodes.length === 0
        ? ''
        : ` These nodes are no instances of AWS (spec.providerID): ${foreignNodes.slice(0, NAMED).join(', ')}.`;
    return { reason: 'NoTargets', message: `There is nothing to send traffic to.${foreign}` };
  }
  const states = new Map<string, number>();
  for (const { health, reason } of others) {
    const text = reason === undefined ? String(health) : `${health}: ${reason}`;
    states.set(text, (states.get(text) ?? 0) + 1);
  }
  const told = [...states].map(([text, count]) => `${count} ${text}`);
  if (unasked > 0) told.push(`${unasked} not asked about yet`);
  if (refused.length > 0) told.push(`${refused.length} refused`);
  return { reason: 'NoHealthyTarget', message: `0 of ${desired} targets are healthy (${told.join('; ')}).` };
}

/** What AWS doesn't take is told, however well the others are: a person has to mend it, or to take it out. */
function withRefused(
  health: Finding | undefined,
  { desired, healthy, refused }: Counts,
): Finding | undefined {
  const [first] = refused;
  if (first === undefined) return health;
  const all = [...new Set(refused.map(({ id }) => id))];
  const named = all.slice(0, NAMED).join(', ');
  const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : '';
  const message = `Without ${named}${more}, tried again now and then: ${first.reason}`;
  if (health !== undefined) return { ...health, message: `${health.message} ${message}` };
  return { reason: 'TargetRefused', message: `${healthy} of ${desired} targets are healthy. ${message}` };
}

/** Pods that are healthy at every port at which they are targets. */
function findHealthyPods(groups: readonly TargetGroupModel[], { targetGroups }: AwsObserved): string[] {
  const isHealthy = new Map<string, boolean>();
  for (const group of groups) {
    const found = targetGroups.find(({ name }) => name === group.name)?.targets ?? [];
    for (const { id, pods, port } of group.targets) {
      const healthy = found.some((each) => each.id === id && each.port === port && each.health === 'healthy');
      for (const pod of pods) isHealthy.set(pod, healthy && isHealthy.get(pod) !== false);
    }
  }
  return [...isHealthy].filter(([, healthy]) => healthy).map(([pod]) => pod);
}
