import type { Family } from '../endpoints/canonical-address.ts';
import { collectEndpoints } from '../endpoints/collect-endpoints.ts';
import { familiesOf } from '../service-families.ts';
import type { ServedInputs } from '../service-observer.ts';

/** What load balancers are told of one Service on this node. */
export interface HealthCheck {
  namespace: string;
  name: string;
  /** `spec.healthCheckNodePort`. */
  port: number;
  /** Distinct addresses of ready endpoints on this node. Each family answers for itself, as kube-proxy's two proxiers do. */
  localEndpoints: ReadonlyMap<Family, number>;
}

/**
 * The health check that load balancers choose nodes by, or null. Only Services of type LoadBalancer with
 * `externalTrafficPolicy: Local` have one, and only their own proxy answers. Endpoints that terminate aren't ready and don't
 * count, though they may still serve: see `getLocalReadyEndpointIPs` in kube-proxy's `endpointschangetracker.go`.
 */
export function decideHealthCheck(inputs: ServedInputs, nodeName: string): HealthCheck | null {
  const { service, slices, part } = inputs;
  const { type, externalTrafficPolicy, healthCheckNodePort = 0 } = service.spec;
  if (part !== 'Everything' || type !== 'LoadBalancer' || externalTrafficPolicy !== 'Local') return null;
  if (healthCheckNodePort === 0) return null;
  const addresses = new Map(familiesOf(service).map((family) => [family, new Set<string>()]));
  for (const endpoints of collectEndpoints(slices, nodeName).values()) {
    for (const { family, address, local, ready } of endpoints) {
      if (local && ready) addresses.get(family)?.add(address);
    }
  }
  return {
    namespace: service.metadata.namespace ?? '',
    name: service.metadata.name,
    port: healthCheckNodePort,
    localEndpoints: new Map(Array.from(addresses, ([family, each]) => [family, each.size])),
  };
}
