import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { Pod } from '../../kube/objects.ts';
import type { TargetPod } from '../../providers/provider.ts';
import { type TargetEndpoint, takesTraffic, targetsOf } from '../../providers/target-endpoints.ts';
import { serviceKeyOf } from './caches.ts';
import type { TargetCaches } from './target-caches.ts';

const GATE_PREFIX = 'target-health.fairlead.dev/';

/** The condition of a Pod that waits for this load balancer, where its `readinessGates` name it (KEP-580). */
export function readinessGateOf(loadBalancer: LoadBalancer): string {
  return `${GATE_PREFIX}${loadBalancer.metadata.name}`;
}

/** The name of the LoadBalancer that a gate waits for; undefined: another's gate. */
export function loadBalancerOfGate(conditionType: string): string | undefined {
  return conditionType.startsWith(GATE_PREFIX) ? conditionType.slice(GATE_PREFIX.length) : undefined;
}

/** The endpoints that a load balancer of mode Pod sends traffic to, in an order that doesn't depend on that of the slices. */
export function targetPods(targets: TargetCaches, loadBalancer: LoadBalancer): TargetPod[] {
  const { namespace = '' } = loadBalancer.metadata;
  const gate = readinessGateOf(loadBalancer);
  const found = new Map<string, TargetPod>();
  for (const slice of targets.slices.store.byIndex('service', serviceKeyOf(loadBalancer))) {
    if (slice.addressType === 'FQDN') continue;
    for (const endpoint of slice.endpoints ?? []) {
      const pod = endpoint.targetRef?.kind === 'Pod' ? endpoint.targetRef.name : undefined;
      const object = pod === undefined ? undefined : targets.pods.store.get(`${namespace}/${pod}`);
      const gated = isGated(object, gate);
      if (!takesTraffic(endpoint) && !gated) continue;
      for (const target of targetsOf(slice, endpoint, loadBalancer.spec.frontends ?? [])) {
        found.set(sortKeyOf(target), { ...target, ...(pod === undefined ? {} : { pod }), gated });
      }
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, target]) => target);
}

/** Everything but this gate is there: the load balancer has to get the Pod as a target, or it would never become ready. */
function isGated(pod: Pod | undefined, gate: string): boolean {
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return false;
  const isTrue = (type: string) =>
    (pod.status?.conditions ?? []).some((each) => each.type === type && each.status === 'True');
  const gates = (pod.spec?.readinessGates ?? []).map(({ conditionType }) => conditionType);
  return gates.includes(gate) && !isTrue(gate) && isTrue('ContainersReady');
}

function sortKeyOf({ protocol, port, address, targetPort }: TargetEndpoint): string {
  return `${protocol} ${port} ${address} ${targetPort}`;
}
