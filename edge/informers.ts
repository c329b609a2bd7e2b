import type { LoadBalancer } from '../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../crds/load-balancer-provider.ts';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../crds/resources.ts';
import type { KubeClient } from '../kube/client.ts';
import { SERVICE_NAME_LABEL, servicesOfSlice } from '../kube/endpoint-slices.ts';
import { createInformer, type Informer } from '../kube/informer.ts';
import type { Logger } from '../kube/log.ts';
import type { EndpointSlice, Node } from '../kube/objects.ts';
import { ENDPOINT_SLICES, NODES } from '../kube/resources.ts';
import { trimNode } from '../kube/trim-objects.ts';

const PROVIDER_LABEL = 'fairlead.dev/provider';

export interface EdgeInformers {
  provider: Informer<LoadBalancerProvider>;
  loadBalancers: Informer<LoadBalancer>;
  nodes: Informer<Node>;
  /** Large: listed only once a load balancer sends traffic to pods, or to nodes by the number of theirs. */
  slices: Informer<EndpointSlice>;
}

/** What an edge reads of the cluster: its own provider and load balancers, and what traffic may be sent to. */
export function createInformers(client: KubeClient, provider: string, log: Logger): EdgeInformers {
  const informers: EdgeInformers = {
    provider: createInformer(client, LOAD_BALANCER_PROVIDERS, {
      log,
      fieldSelector: `metadata.name=${provider}`,
    }),
    loadBalancers: createInformer(client, LOAD_BALANCERS, {
      log,
      labelSelector: `${PROVIDER_LABEL}=${provider}`,
    }),
    nodes: createInformer(client, NODES, { log, transform: trimNode }),
    slices: createInformer(client, ENDPOINT_SLICES, {
      log,
      inSlices: true,
      labelSelector: SERVICE_NAME_LABEL,
    }),
  };
  informers.slices.store.addIndex('service', servicesOfSlice);
  return informers;
}
