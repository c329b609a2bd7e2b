import type { LoadBalancer } from '../crds/load-balancer.ts';

/** The index of stores by the Service (`namespace/name`) that an object is of. */
export const BY_SERVICE = 'service';

export function servicesOfLoadBalancer(loadBalancer: LoadBalancer): string[] {
  return [`${loadBalancer.metadata.namespace ?? ''}/${loadBalancer.spec.service.name}`];
}
