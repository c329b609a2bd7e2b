import type { Frontend, LoadBalancer } from '../../crds/load-balancer.ts';
import type { Endpoint, EndpointSlice, Pod } from '../../kube/objects.ts';
import type { TargetPod } from '../../providers/provider.ts';
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

/** Ready in the sense of the EndpointSlice API: nil means true; a terminating endpoint is never ready. */
function takesTraffic({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false && conditions?.terminating !== true;
}

/** Everything but this gate is there: the load balancer has to get the Pod as a target, or it would never become ready. */
function isGated(pod: Pod | undefined, gate: string): boolean {
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return false;
  const isTrue = (type: string) =>
    (pod.status?.conditions ?? []).some((each) => each.type === type && each.status === 'True');
  const gates = (pod.spec?.readinessGates ?? []).map(({ conditionType }) => conditionType);
  return gates.includes(gate) && !isTrue(gate) && isTrue('ContainersReady');
}

function* targetsOf(
  slice: EndpointSlice,
  endpoint: Endpoint,
  frontends: readonly Frontend[],
): Iterable<Omit<TargetPod, 'pod' | 'gated'>> {
  const [address] = endpoint.addresses;
  if (address === undefined) return;
  for (const { name = '', protocol, port } of frontends) {
    const ports = (slice.ports ?? []).filter(
      (each) => (each.name ?? '') === name && (each.protocol ?? 'TCP') === protocol,
    );
    for (const { port: targetPort } of ports) {
      if (targetPort === undefined) continue;
      const zone = endpoint.zone === undefined ? {} : { zone: endpoint.zone };
      yield { protocol, port, address, targetPort, ...zone };
    }
  }
}

function sortKeyOf({ protocol, port, address, targetPort }: Omit<TargetPod, 'pod' | 'gated'>): string {
  return `${protocol} ${port} ${address} ${targetPort}`;
}
