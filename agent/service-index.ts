import type { LoadBalancer } from '../crds/load-balancer.ts';
import type { EndpointSlice } from '../kube/objects.ts';
import { SERVICE_NAME_LABEL } from './endpoints/collect-endpoints.ts';

/** The index of stores by the Service (`namespace/name`) that an object is of. */
export const BY_SERVICE = 'service';

export function servicesOfSlice(slice: EndpointSlice): string[] {
  const name = slice.metadata.labels?.[SERVICE_NAME_LABEL];
  return name === undefined ? [] : [`${slice.metadata.namespace ?? ''}/${name}`];
}

export function servicesOfLoadBalancer(loadBalancer: LoadBalancer): string[] {
  return [`${loadBalancer.metadata.namespace ?? ''}/${loadBalancer.spec.service.name}`];
}
