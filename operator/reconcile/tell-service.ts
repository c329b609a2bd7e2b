import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerIngress, Service } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { ReconcileResult } from '../../kube/workqueue.ts';
import type { Finding, Traffic } from '../../providers/provider.ts';
import { chooseIngress } from '../plan/choose-ingress.ts';
import { hasFinalizer, isBeingDeleted, SERVICE_CONDITION } from '../plan/names.ts';
import type { ShownProviders } from '../plan/read-annotations.ts';
import { buildConditions, buildServiceCondition } from '../status/build-conditions.ts';
import {
  buildEvents,
  buildNoteEvents,
  buildStandingEvents,
  type Transition,
} from '../status/build-events.ts';
import { REASONS } from '../status/reasons.ts';
import {
  ingressOf,
  ownCondition,
  planServiceStatus,
  type ServiceStatus,
  writeServiceStatus,
} from '../status/service-status.ts';
import type { ReconcileContext } from './context.ts';
import type { Ensured } from './ensured.ts';
import { markChosenNodePorts } from './mark-node-ports.ts';

/** What became of the load balancers of a Service, to be said. */
export interface Served {
  service: Service;
  /** In the order in which they were asked for; the first feeds the Service's status, or all do. */
  ensured: readonly Ensured[];
  /** Not wanted any more, and serving until the wanted ones do, and a while longer. */
  surplus: readonly LoadBalancer[];
  findings: readonly Finding[];
  /** Whose addresses the Service's status shows. */
  providers: ShownProviders;
}

/** Says on the Service, and after that on the LoadBalancers and in events, how it stands. Answers the Service after that. */
export async function tellServed(context: ReconcileContext, served: Served): Promise<Service> {
  const { service, ensured, findings } = served;
  const outcomes = ensured.map(({ outcome }) => outcome);
  const condition = buildServiceCondition(outcomes, findings, service.metadata.generation);
  const ingress = ingressToShow(served);
  const finalizer = hasFinalizer(service) || ensured.some(({ loadBalancer }) => loadBalancer !== undefined);
  const written = await writeStatus(context, service, { finalizer, ingress, condition });

  for (const each of ensured) tellLoadBalancer(context, each);
  const before = { ingress: ingressOf(service), condition: ownCondition(service) };
  const names = (wrote: Ensured['wrote']) =>
    ensured.flatMap((each) => (each.wrote === wrote ? (each.loadBalancer?.metadata.name ?? []) : []));
  const transition: Transition = {
    before,
    after: { ingress, condition },
    created: names('Created'),
    updated: names('Updated'),
  };
  const notes = [...outcomes.flatMap((outcome) => outcome.notes), ...findings];
  context.tellEvents(service, [...buildEvents(transition), ...buildNoteEvents(before.condition, notes)]);
  context.reminders.hold(service, buildStandingEvents(condition, notes));
  return written;
}

/** Says why nothing is done for a Service now; what it has, it keeps. */
export async function tellHeld(
  context: ReconcileContext,
  { service, loadBalancers, finding }: { service: Service; loadBalancers: LoadBalancer[]; finding: Finding },
): Promise<ReconcileResult> {
  const before = { ingress: ingressOf(service), condition: ownCondition(service) };
  const paused = finding.reason === REASONS.paused;
  const condition = {
    type: SERVICE_CONDITION,
    // A Service that serves goes on serving while it's paused.
    status: paused && before.condition?.status === 'True' ? ('True' as const) : ('False' as const),
    reason: finding.reason,
    message: finding.message,
    observedGeneration: service.metadata.generation,
  };
  const finalizer = hasFinalizer(service) || loadBalancers.length > 0;
  await writeStatus(context, service, { finalizer, ingress: [...before.ingress], condition });
  context.tellEvents(
    service,
    buildEvents({ before, after: { ingress: before.ingress, condition }, created: [], updated: [] }),
  );
  context.reminders.hold(service, buildStandingEvents(condition, []));
  return { kind: 'done' };
}

/** Writes what of a Service's status is ours, when it differs; what isn't named stays as it is. */
export async function writeStatus(
  context: ReconcileContext,
  service: Service,
  changes: Partial<ServiceStatus>,
): Promise<Service> {
  const wanted: ServiceStatus = {
    finalizer: hasFinalizer(service),
    ingress: ingressOf(service),
    ...('condition' in changes ? {} : { condition: ownCondition(service) }),
    ...changes,
  };
  const plan = planServiceStatus(service, wanted, context.now());
  if (plan === undefined) return service;
  const write = () => writeServiceStatus(context.client, service, plan);
  const written = markChosenNodePorts(await context.onPath(write));
  context.caches.freshServices.note(written);
  return written;
}

function ingressToShow({ providers, service, ensured, surplus }: Served): LoadBalancerIngress[] {
  if (service.spec.type !== 'LoadBalancer') return [];
  return chooseIngress({
    shown: ingressOf(service),
    wanted: ensured.map((each) => ({
      ingress: each.ingress,
      serves: serves(each),
      traffic: trafficOf(each),
    })),
    isLeaving: surplus.some((each) => !isBeingDeleted(each)),
    providers,
  });
}

/** Whether traffic comes through, as far as anybody can tell, and nothing is left to be done for it. */
export function serves({ ingress, outcome, failure }: Ensured): boolean {
  const { targets, unhealthy } = outcome.outside?.status ?? {};
  return (
    ingress.length > 0 &&
    failure === undefined &&
    outcome.refused === undefined &&
    outcome.programmed !== undefined &&
    outcome.programmed.finding === undefined &&
    // Those that are left take what there is.
    (unhealthy === undefined || (targets?.healthy ?? 0) > 0)
  );
}

/** Of one that wasn't asked, or couldn't be, there is no status: it is as it was. */
function trafficOf({ outcome }: Ensured): Traffic {
  const { status } = outcome.outside ?? {};
  if (status === undefined) return 'Unknown';
  if (status.traffic !== undefined) return status.traffic;
  if (status.targets?.healthy === 0) return 'Stops';
  return status.notProgrammed === undefined ? 'Passes' : 'Unknown';
}

function tellLoadBalancer(
  context: ReconcileContext,
  { loadBalancer, outcome, ingress, status, applied }: Ensured,
): void {
  if (loadBalancer === undefined) return;
  context.tellLoadBalancer(keyOf(loadBalancer), {
    provider: {
      ingress,
      providerID: status === undefined ? loadBalancer.status?.providerID : status.providerID,
      targets: status?.targets,
    },
    applied,
    conditions: buildConditions(outcome, loadBalancer.metadata.generation),
  });
}
