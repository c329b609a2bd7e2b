import type { Finding, ProviderStatus } from '../provider.ts';
import { addressesOf } from './diff/expect-live.ts';
import { type Leaving, planApplication } from './diff/plan-application.ts';
import { membersOf, poolsOf } from './members.ts';
import type { BigipModel } from './model.ts';
import type { BigipObserved, MemberState } from './observed.ts';

/** Somebody has to take it out of the way; the device is read at each interval. */
const OBSTACLE_SECONDS = 30;

/** What the outside sees: the addresses once the application is declared with them. */
export function tellStatus(model: BigipModel, observed: BigipObserved): ProviderStatus {
  const { application, tenant } = model;
  const stored = observed.applications[application];
  const notProgrammed = observed.obstacle ?? (stored === undefined ? notThere(model) : findClosed(model));
  const soon = observed.obstacle === undefined ? {} : { againAfterSeconds: OBSTACLE_SECONDS };
  if (stored === undefined)
    return { ingress: [], ...(notProgrammed === undefined ? {} : { notProgrammed }), ...soon };
  const { leaving } = planApplication(model, stored, observed.now);
  const counts = countTargets(model, observed);
  const unhealthy = counts === undefined ? undefined : explainHealth(counts);
  const declared = addressesOf(stored);
  const waits = [
    ...Object.values(soon),
    ...(observed.lookAgainAfterSeconds === undefined ? [] : [observed.lookAgainAfterSeconds]),
    ...leaving.map(({ until }) => Math.max(1, Math.ceil((until - observed.now) / 1000))),
  ];
  return {
    providerID: `/${tenant}/${application}`,
    // KEP-1860: packets reach the nodes with an address of theirs as destination.
    ingress: model.addresses
      .filter((ip) => declared.includes(ip))
      .map((ip) => ({ ip, ipMode: 'Proxy' as const })),
    ...(notProgrammed === undefined ? {} : { notProgrammed }),
    ...(counts === undefined ? {} : { targets: { desired: counts.desired, healthy: counts.healthy } }),
    ...(unhealthy === undefined ? {} : { unhealthy }),
    healthyPods: findHealthyPods(model, observed),
    ...(leaving.length === 0 ? {} : { waitsForOthers: describe(leaving) }),
    ...(waits.length === 0 ? {} : { againAfterSeconds: Math.min(...waits) }),
  };
}

/** Which targets are kept until when: with others, or none, there is something to do. */
function describe(leaving: readonly Leaving[]): string {
  const told = leaving.map(({ member, pool, until }) => `${pool} ${member} ${until}`);
  return `draining: ${told.sort().join(', ')}`;
}

function notThere({ application, tenant }: BigipModel): Finding {
  return { reason: 'Provisioning', message: `Application /${tenant}/${application} is not declared yet.` };
}

/** Some of its addresses may be closed on purpose; all of them would be pending for ever, without a word. */
function findClosed({ addresses, closed }: BigipModel): Finding | undefined {
  if (addresses.length > 0 || closed.length === 0) return undefined;
  const message = `Nobody may connect to ${closed.join(', ')}: spec.loadBalancerSourceRanges has no range of that family.`;
  return { reason: 'NoSourceRange', message };
}

interface Counts {
  desired: number;
  healthy: number;
  states: Map<MemberState | 'unknown', number>;
}

/** Of those that are to get traffic; one that is on its way out doesn't count. */
function countTargets({ declaration }: BigipModel, { states }: BigipObserved): Counts | undefined {
  if (states === undefined) return undefined;
  const counts: Counts = { desired: 0, healthy: 0, states: new Map() };
  for (const [pool, object] of poolsOf(declaration)) {
    for (const { name } of membersOf(object)) {
      const state = states[`${pool} ${name}`] ?? 'unknown';
      counts.desired++;
      if (state === 'up') counts.healthy++;
      else counts.states.set(state, (counts.states.get(state) ?? 0) + 1);
    }
  }
  return counts;
}

function explainHealth({ desired, healthy, states }: Counts): Finding | undefined {
  if (healthy > 0) return undefined;
  if (desired === 0) return { reason: 'NoTargets', message: 'There is nothing to send traffic to.' };
  const told = [...states].map(([state, count]) => `${count} ${state}`).join('; ');
  return { reason: 'NoHealthyTarget', message: `0 of ${desired} targets are up (${told}).` };
}

/** Pods that are up at every port at which they are targets. */
function findHealthyPods({ pods }: BigipModel, { states = {} }: BigipObserved): string[] {
  const isUp = new Map<string, boolean>();
  for (const [member, names] of Object.entries(pods)) {
    for (const pod of names) isUp.set(pod, states[member] === 'up' && isUp.get(pod) !== false);
  }
  return [...isUp].flatMap(([pod, up]) => (up ? [pod] : []));
}
