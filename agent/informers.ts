import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadBalancer } from '../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../crds/resources.ts';
import type { KubeClient } from '../kube/client.ts';
import { HEADLESS_LABEL, SERVICE_NAME_LABEL } from '../kube/endpoint-slices.ts';
import { isClass } from '../kube/errors.ts';
import { createInformer, type Informer } from '../kube/informer.ts';
import type { Logger } from '../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../kube/objects.ts';
import { ENDPOINT_SLICES, NODES, SERVICE_CIDRS, SERVICES } from '../kube/resources.ts';
import { trimNode } from '../kube/trim-objects.ts';
import { trimLoadBalancer, trimService, trimSlice } from './trim-objects.ts';

export interface AgentInformers {
  services: Informer<Service>;
  slices: Informer<EndpointSlice>;
  loadBalancers: Informer<LoadBalancer>;
  nodes: Informer<Node>;
  serviceCidrs: Informer<ServiceCIDR>;
}

/** What the agent reads of the cluster; the server leaves out what it would not use. */
export function createInformers(client: KubeClient, nodeName: string, log: Logger): AgentInformers {
  return {
    services: createInformer(client, SERVICES, {
      log,
      inSlices: true,
      fieldSelector: 'spec.clusterIP!=None',
      transform: trimService,
    }),
    slices: createInformer(client, ENDPOINT_SLICES, {
      log,
      inSlices: true,
      labelSelector: `${SERVICE_NAME_LABEL},!${HEADLESS_LABEL}`,
      transform: trimSlice,
    }),
    loadBalancers: createInformer(client, LOAD_BALANCERS, { log, transform: trimLoadBalancer }),
    nodes: createInformer(client, NODES, {
      log,
      fieldSelector: `metadata.name=${nodeName}`,
      transform: trimNode,
    }),
    serviceCidrs: createInformer(client, SERVICE_CIDRS, { log }),
  };
}

const ASK_AGAIN_MS = 1_000;

/** Starts the informers; resolves when each store holds a whole listing. */
export async function listEverything(
  informers: AgentInformers,
  client: KubeClient,
  log: Logger,
): Promise<void> {
  const { serviceCidrs, ...others } = informers;
  const all = [canReadServiceCidrs(client, log), ...Object.values(others).map(startAndSync)] as const;
  const [canRead] = await Promise.all(all);
  if (canRead) await startAndSync(serviceCidrs);
}

async function startAndSync(informer: { start(): void; synced: Promise<void> }): Promise<void> {
  informer.start();
  await informer.synced;
}

/** Whether the cluster tells its ServiceCIDRs: not before Kubernetes 1.33, and not to who may not read them. */
async function canReadServiceCidrs(client: KubeClient, log: Logger): Promise<boolean> {
  for (;;) {
    try {
      await client.list(SERVICE_CIDRS, { limit: 1 });
      return true;
    } catch (error) {
      if (isClass(error, 'NotFound', 'Rejected')) {
        log.warn('NoServiceCidrs', { error, effect: 'unallocated ClusterIPs are not dropped' });
        return false;
      }
      // It may be either: an informer of what isn't there would never be in.
      await sleep(ASK_AGAIN_MS);
    }
  }
}
