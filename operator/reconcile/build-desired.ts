import type { LoadBalancer, LoadBalancerSpec } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import type { DesiredLoadBalancer, LoadBalancerId, Subject, TargetNode } from '../../providers/provider.ts';
import { targetNodes } from '../../providers/target-nodes.ts';
import { isBeingDeleted } from '../plan/names.ts';
import { tenantOf } from './caches.ts';
import type { ReconcileContext } from './context.ts';
import { targetPods } from './target-pods.ts';

/** What a provider is asked about, for one LoadBalancer. */
export function buildSubject(
  { clusterId }: Pick<ReconcileContext, 'clusterId'>,
  loadBalancer: LoadBalancer,
  provider: LoadBalancerProvider,
): Subject {
  const { sharedAddress } = loadBalancer.spec;
  return {
    id: idOf(clusterId, loadBalancer),
    provider: { name: provider.metadata.name, spec: provider.spec },
    ...(sharedAddress === undefined ? {} : { sharedAddress }),
  };
}

/** A load balancer outside of the cluster as it ought to be, from what is in the caches. */
export function buildDesired(
  context: ReconcileContext,
  loadBalancer: LoadBalancer,
  provider: LoadBalancerProvider,
): DesiredLoadBalancer {
  const { caches, clusterId } = context;
  const { spec } = loadBalancer;
  const isPods = spec.targets.mode === 'Pod';
  const sharedWith =
    spec.sharedAddress === undefined
      ? []
      : findSharers(context, loadBalancer).map((each) => ({ id: idOf(clusterId, each), spec: each.spec }));
  return {
    ...buildSubject(context, loadBalancer, provider),
    spec,
    nodes: isPods ? [] : findNodes(context, spec),
    pods: isPods ? targetPods(caches.targets, loadBalancer) : [],
    sharedWith,
  };
}

/**
 * Forwarding ports are the agents' alone: a node that never had one has nobody there (docs/adr/0014). An agent that is
 * stopped takes its Lease with it; its NodeForwarder stays.
 */
function findNodes({ agents, caches }: ReconcileContext, spec: LoadBalancerSpec): TargetNode[] {
  const nodes = targetNodes(caches.nodes.store.list(), spec);
  if (spec.targets.mode !== 'ForwardingPort') return nodes;
  const hadAgent = ({ name }: TargetNode) =>
    caches.nodeForwarders.store.get(name) !== undefined || agents.isLive(name);
  if (!nodes.some(hadAgent)) return nodes;
  return nodes.map((node) => ({ ...node, draining: node.draining || !hadAgent(node) }));
}

/** Those that share a load balancer with this one, itself among them, oldest first. */
export function findSharers(
  { caches }: Pick<ReconcileContext, 'caches'>,
  loadBalancer: LoadBalancer,
): LoadBalancer[] {
  const { metadata, spec } = loadBalancer;
  if (spec.sharedAddress === undefined) return [];
  const others = caches.loadBalancers.store
    .byIndex('tenant', tenantOf(spec.provider.name, metadata.namespace))
    .filter(
      (each) =>
        each.metadata.name !== metadata.name &&
        each.spec.sharedAddress === spec.sharedAddress &&
        !isBeingDeleted(each),
    );
  return [...others, loadBalancer].sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
}

function ageOf({ metadata }: LoadBalancer): string {
  return `${metadata.creationTimestamp ?? '~'} ${metadata.name}`;
}

function idOf(clusterId: string, { metadata, spec }: LoadBalancer): LoadBalancerId {
  return {
    clusterId,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    serviceUid: spec.service.uid,
  };
}
