import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { isClass } from '../../kube/errors.ts';
import type { Pod } from '../../kube/objects.ts';
import { PODS } from '../../kube/resources.ts';
import type { ProviderStatus } from '../../providers/provider.ts';
import { FIELD_MANAGER } from '../plan/names.ts';
import type { ReconcileContext } from './context.ts';
import { readinessGateOf } from './target-pods.ts';

/**
 * Opens the readiness gates of Pods that the load balancer found healthy (KEP-580), so that a rollout waits for it. A gate
 * that was opened stays open: from then on the Pod's own readiness decides.
 */
export async function openGates(
  context: ReconcileContext,
  loadBalancer: LoadBalancer,
  { healthyPods = [] }: Pick<ProviderStatus, 'healthyPods'>,
): Promise<void> {
  const { namespace = '' } = loadBalancer.metadata;
  const gate = readinessGateOf(loadBalancer);
  for (const name of healthyPods) {
    const pod = context.caches.targets.pods.store.get(`${namespace}/${name}`);
    if (pod !== undefined && waitsFor(pod, gate)) await openGate(context, pod, gate);
  }
}

function waitsFor({ spec, status }: Pod, gate: string): boolean {
  const isThere = (spec?.readinessGates ?? []).some(({ conditionType }) => conditionType === gate);
  return (
    isThere && !(status?.conditions ?? []).some(({ type, status }) => type === gate && status === 'True')
  );
}

async function openGate(context: ReconcileContext, { metadata }: Pod, gate: string): Promise<void> {
  const now = context.now();
  const condition = {
    type: gate,
    status: 'True',
    reason: 'TargetHealthy',
    message: 'The load balancer sends traffic to it.',
    lastProbeTime: null,
    lastTransitionTime: now,
  };
  const { name, namespace, uid } = metadata;
  try {
    // One manager a gate: what an apply leaves out, it gives up.
    await context.client.patch(
      PODS,
      namespace,
      name,
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace, uid },
        status: { conditions: [condition] },
      },
      {
        contentType: 'apply',
        subresource: 'status',
        fieldManager: `${FIELD_MANAGER}/${gate}`.slice(0, 128),
        force: true,
      },
    );
  } catch (error) {
    if (!isClass(error, 'NotFound', 'Conflict')) throw error;
  }
}
