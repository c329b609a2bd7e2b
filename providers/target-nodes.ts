import type { LoadBalancerSpec } from '../crds/load-balancer.ts';
import type { Node } from '../kube/objects.ts';
import { matchesSelector } from '../kube/selectors.ts';
import type { TargetNode } from './provider.ts';

/** KEP-1143 (GA in 1.21). */
const EXCLUDED_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';
const LEAVING_TAINTS: ReadonlySet<string> = new Set([
  'ToBeDeletedByClusterAutoscaler',
  'karpenter.sh/disrupted',
]);

/**
 * The nodes that traffic may be sent to (KEP-3458): those that leave are drained first, and neither a NotReady flap nor a
 * cordon makes a node leave.
 */
export function targetNodes(nodes: readonly Node[], spec: Pick<LoadBalancerSpec, 'targets'>): TargetNode[] {
  return nodes
    .filter((node) => matchesSelector(spec.targets.nodeSelector, node.metadata.labels))
    .map((node) => ({
      name: node.metadata.name,
      ...(node.spec?.providerID === undefined ? {} : { providerID: node.spec.providerID }),
      ...(node.metadata.labels === undefined ? {} : { labels: node.metadata.labels }),
      addresses: (node.status?.addresses ?? []).flatMap(({ type, address }) =>
        type === 'InternalIP' ? address : [],
      ),
      draining: isLeaving(node),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isLeaving(node: Node): boolean {
  return (
    node.metadata.deletionTimestamp !== undefined ||
    node.metadata.labels?.[EXCLUDED_LABEL] !== undefined ||
    (node.spec?.taints ?? []).some(({ key }) => LEAVING_TAINTS.has(key))
  );
}
