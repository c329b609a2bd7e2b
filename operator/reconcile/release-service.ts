import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { isClass } from '../../kube/errors.ts';
import type { Service } from '../../kube/objects.ts';
import { keyOf, SERVICES } from '../../kube/resources.ts';
import type { ReconcileResult } from '../../kube/workqueue.ts';
import { FINALIZER, hasFinalizer, isBeingDeleted } from '../plan/names.ts';
import { EVENTS } from '../status/reasons.ts';
import { planServiceStatus, writeServiceStatus } from '../status/service-status.ts';
import type { ReconcileContext } from './context.ts';
import { markChosenNodePorts } from './mark-node-ports.ts';
import { removeFromProvider } from './sync-provider.ts';

const DONE: ReconcileResult = { kind: 'done' };
const STILL_THERE: ReconcileResult = { kind: 'retryAfter', seconds: 5, reason: 'ProviderDeleting' };

/**
 * Takes load balancers away: first at the provider, until it has nothing left of them, then the LoadBalancer objects with
 * their claims, and at last, when a Service is given, what is ours on it: status, condition and finalizer.
 */
export async function releaseService(
  context: ReconcileContext,
  service: Service | undefined,
  loadBalancers: readonly LoadBalancer[],
  signal: AbortSignal,
): Promise<ReconcileResult> {
  for (const loadBalancer of loadBalancers) {
    if (!(await releaseLoadBalancer(context, loadBalancer, service, signal))) return STILL_THERE;
  }
  if (service === undefined) return DONE;
  context.claims.letGoOfService(keyOf(service));
  await clearService(context, service);
  return DONE;
}

/** Answers whether it's gone; false: the provider takes its time. */
export async function releaseLoadBalancer(
  context: ReconcileContext,
  loadBalancer: LoadBalancer,
  service: Service | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { client, compiled, claims } = context;
  const { name, namespace, uid } = loadBalancer.metadata;
  const tell = (reason: string, note: string) => {
    if (service !== undefined) context.tellEvents(service, [{ type: 'Normal', reason, note }]);
  };
  const provider = compiled.providers.get(loadBalancer.spec.provider.name);
  const retained = provider?.object.spec.deletion === 'Retain';
  if (!isBeingDeleted(loadBalancer)) tell(EVENTS.deleting, `Deleting load balancer ${name}`);
  if (!retained && !(await removeFromProvider(context, loadBalancer, signal))) return false;
  claims.letGo(keyOf(loadBalancer));
  if (!isBeingDeleted(loadBalancer)) {
    await client.delete(LOAD_BALANCERS, namespace, name, uid === undefined ? {} : { uid });
    tell(EVENTS.deleted, `Deleted load balancer ${name}`);
  }
  return true;
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
