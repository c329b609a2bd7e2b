import type { LoadBalancer } from '../crds/load-balancer.ts';
import { servicesOfSlice } from '../kube/endpoint-slices.ts';
import type { EndpointSlice } from '../kube/objects.ts';
import type { Store } from '../kube/store.ts';
import { BY_SERVICE } from './service-index.ts';

/** Nodes with a ready endpoint of a Service (`namespace/name`). */
export function findReadyNodes(slices: Store<EndpointSlice>, serviceKey: string): Set<string> {
  const nodes = new Set<string>();
  for (const slice of slices.byIndex(BY_SERVICE, serviceKey)) {
    for (const { conditions, nodeName } of slice.endpoints ?? []) {
      if (nodeName !== undefined && (conditions?.ready ?? true)) nodes.add(nodeName);
    }
  }
  return nodes;
}

/** Whether a change of this slice may move an address: only Services with externalTrafficPolicy Local mind their nodes. */
export function isForLocalService(slice: EndpointSlice, loadBalancers: Store<LoadBalancer>): boolean {
  return servicesOfSlice(slice)
    .flatMap((key) => loadBalancers.byIndex(BY_SERVICE, key))
    .some((loadBalancer) => loadBalancer.spec.externalTrafficPolicy === 'Local');
}
