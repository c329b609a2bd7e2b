import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { isClass } from '../../kube/errors.ts';
import type { Service } from '../../kube/objects.ts';
import { keyOf, SERVICES } from '../../kube/resources.ts';
import type { ReconcileResult } from '../../kube/workqueue.ts';
import { FINALIZER, hasFinalizer, isBeingDeleted } from '../plan/names.ts';
import { REASONS } from '../status/reasons.ts';
import { planServiceStatus, writeServiceStatus } from '../status/service-status.ts';
import type { ReconcileContext } from './context.ts';
import { markChosenNodePorts } from './mark-node-ports.ts';
import { type LoadBalancerReleaser, lookAgain, type Unreleased } from './release-load-balancer.ts';
import { tellHeld } from './tell-service.ts';

const DONE: ReconcileResult = { kind: 'done' };

/**
 * Takes load balancers away, and at last, when a Service is given, what is ours on it: status, condition and finalizer.
 * Until then it says what is left, and why.
 */
export async function releaseService(
  context: ReconcileContext,
  releaser: LoadBalancerReleaser,
  { service, loadBalancers }: { service?: Service | undefined; loadBalancers: readonly LoadBalancer[] },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const unreleased = await releaseAll(releaser, loadBalancers, service, signal);
  if (unreleased.length > 0) {
    if (service !== undefined) await tellUnreleased(context, service, unreleased);
    return lookAgain(unreleased);
  }
  if (service === undefined) return DONE;
  context.claims.letGoOfService(keyOf(service));
  await clearService(context, service);
  return DONE;
}

/**
 * Takes load balancers of a Service that is gone away, of which one of the same name has to wait: says so on it when
 * they don't go at once.
 */
export async function releaseStrangers(
  context: ReconcileContext,
  releaser: LoadBalancerReleaser,
  { service, loadBalancers }: { service: Service; loadBalancers: readonly LoadBalancer[] },
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const unreleased = await releaseAll(releaser, loadBalancers, undefined, signal);
  const [inTheWay] = loadBalancers.filter(isBeingDeleted);
  const why =
    unreleased.length > 0
      ? unreleased.map(({ finding }) => finding.message).join(' ')
      : inTheWay && `Finalizers keep it there: ${inTheWay.metadata.finalizers?.join(', ')}.`;
  if (why !== undefined) {
    const { name } = (inTheWay ?? loadBalancers[0] ?? service).metadata;
    const message = `LoadBalancer "${name}" of a deleted Service of this name is still there; this one is served once it is gone. ${why}`;
    await tellHeld(context, { service, loadBalancers: [], finding: { reason: REASONS.nameTaken, message } });
  }
  return unreleased.length > 0 ? lookAgain(unreleased) : DONE;
}

async function releaseAll(
  releaser: LoadBalancerReleaser,
  loadBalancers: readonly LoadBalancer[],
  service: Service | undefined,
  signal: AbortSignal,
): Promise<Unreleased[]> {
  const unreleased: Unreleased[] = [];
  for (const loadBalancer of loadBalancers) {
    const left = await releaser.release(loadBalancer, service, signal);
    if (left !== undefined) unreleased.push(left);
  }
  return unreleased;
}

async function tellUnreleased(
  context: ReconcileContext,
  service: Service,
  unreleased: readonly Unreleased[],
): Promise<void> {
  const worst = unreleased.find(({ failure }) => failure !== undefined) ?? unreleased[0];
  const message = unreleased.map(({ finding }) => finding.message).join(' ');
  const finding = { reason: worst?.finding.reason ?? REASONS.deleting, message };
  await tellHeld(context, { service, loadBalancers: [], finding });
}

/** One write takes all that is ours off: the finalizer goes with the status. */
async function clearService(context: ReconcileContext, service: Service): Promise<void> {
  const plan = planServiceStatus(service, { finalizer: false, ingress: [] }, context.now());
  if (plan === undefined) return;
  try {
    const written = await writeServiceStatus(context.client, service, plan);
    context.caches.freshServices.note(markChosenNodePorts(written));
    if (hasFinalizer(written)) await removeForeignFinalizer(context, written);
  } catch (error) {
    if (!isClass(error, 'NotFound')) throw error;
  }
}

/** Somebody else applied our finalizer as well (a restored backup, a copied manifest): taken out by value. */
async function removeForeignFinalizer(context: ReconcileContext, service: Service): Promise<void> {
  const { namespace, name, finalizers = [] } = service.metadata;
  const path = `/metadata/finalizers/${finalizers.indexOf(FINALIZER)}`;
  const patch = [
    { op: 'test', path, value: FINALIZER },
    { op: 'remove', path },
  ];
  const written = await context.client.patch(SERVICES, namespace, name, patch, { contentType: 'json' });
  context.caches.freshServices.note(markChosenNodePorts(written));
}
