import type { AddressPool } from '../../crds/address-pool.ts';
import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import type { NodeForwarder } from '../../crds/node-forwarder.ts';
import type { PortPool } from '../../crds/port-pool.ts';
import {
  ADDRESS_POOLS,
  LOAD_BALANCER_PROVIDERS,
  LOAD_BALANCERS,
  NODE_FORWARDERS,
  PORT_POOLS,
} from '../../crds/resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { findCondition } from '../../kube/conditions.ts';
import { createInformer, type Informer } from '../../kube/informer.ts';
import type { Logger } from '../../kube/log.ts';
import type { KubeObject, Namespace, Node, Service } from '../../kube/objects.ts';
import { NAMESPACES, NODES, type ResourceType, SERVICES } from '../../kube/resources.ts';
import { given, trimMeta, trimNode } from '../../kube/trim-objects.ts';
import { FreshView } from './fresh-view.ts';
import { markChosenNodePorts } from './mark-node-ports.ts';
import { TargetCaches } from './target-caches.ts';

/** What the operator sees of the cluster, and its own last writes before the watch has them. */
export interface Caches {
  services: Informer<Service>;
  loadBalancers: Informer<LoadBalancer>;
  providers: Informer<LoadBalancerProvider>;
  addressPools: Informer<AddressPool>;
  portPools: Informer<PortPool>;
  namespaces: Informer<Namespace>;
  nodes: Informer<Node>;
  /** Which nodes have or had an agent, and whether it is ready; what else those report isn't kept. */
  nodeForwarders: Informer<NodeForwarder>;
  /** Listed on demand. */
  targets: TargetCaches;
  freshServices: FreshView<Service>;
  freshLoadBalancers: FreshView<LoadBalancer>;
  start(): void;
  stop(): Promise<void>;
  /** Resolves once every kind has been listed. */
  synced: Promise<unknown>;
  readonly hasSynced: boolean;
}

/** `namespace/name` of the Service that a LoadBalancer is for. */
export function serviceKeyOf(loadBalancer: LoadBalancer): string {
  return `${loadBalancer.metadata.namespace}/${loadBalancer.spec.service.name}`;
}

export function createCaches(client: KubeClient, log: Logger): Caches {
  const informer = <T extends KubeObject>(type: ResourceType<T>, transform?: (object: T) => T): Informer<T> =>
    createInformer(client, type, { log, transform });

  const services = informer(SERVICES, markChosenNodePorts);
  const loadBalancers = informer(LOAD_BALANCERS);
  const providers = informer(LOAD_BALANCER_PROVIDERS);
  const addressPools = informer(ADDRESS_POOLS);
  const portPools = informer(PORT_POOLS);
  const namespaces = informer(NAMESPACES);
  const nodes = informer(NODES, trimNode);
  const nodeForwarders = informer(NODE_FORWARDERS, keepReady);
  services.store.addIndex('namespace', (service) => [service.metadata.namespace ?? '']);
  loadBalancers.store
    .addIndex('service', (each) => [serviceKeyOf(each)])
    .addIndex('provider', (each) => [each.spec.provider.name])
    .addIndex('tenant', (each) => [tenantOf(each.spec.provider.name, each.metadata.namespace)])
    .addIndex('pool', (each) => (each.spec.addresses ?? []).map(({ pool }) => pool));

  const all = [
    services,
    loadBalancers,
    providers,
    addressPools,
    portPools,
    namespaces,
    nodes,
    nodeForwarders,
  ];
  const targets = new TargetCaches(client, log);
  return {
    services,
    loadBalancers,
    providers,
    addressPools,
    portPools,
    namespaces,
    nodes,
    nodeForwarders,
    targets,
    freshServices: new FreshView(services.store),
    freshLoadBalancers: new FreshView(loadBalancers.store, { index: 'service', of: serviceKeyOf }),
    start: () => {
      for (const each of all) each.start();
    },
    stop: async () => {
      await Promise.all([...all, targets].map((each) => each.stop()));
    },
    synced: Promise.all(all.map((each) => each.synced)),
    get hasSynced() {
      return all.every((each) => each.hasSynced);
    },
  };
}

export function tenantOf(provider: string, namespace: string | undefined): string {
  return `${provider}/${namespace ?? ''}`;
}

function keepReady(forwarder: NodeForwarder): NodeForwarder {
  const ready = findCondition(forwarder.status?.conditions, 'Ready');
  const status = ready && { conditions: [{ ...ready, message: '' }] };
  return { metadata: trimMeta(forwarder), spec: forwarder.spec, ...given('status', status) };
}
