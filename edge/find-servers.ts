import { isIPv6 } from 'node:net';
import type { HaproxyConfig } from '../crds/haproxy-provider.ts';
import type { Frontend, LoadBalancer, LoadBalancerSpec } from '../crds/load-balancer.ts';
import { matchesSelector } from '../kube/selectors.ts';
import type { TargetNode } from '../providers/provider.ts';
import { takesTraffic, targetsOf } from '../providers/target-endpoints.ts';
import { targetNodes } from '../providers/target-nodes.ts';
import type { ModelInput } from './build-model.ts';
import type { ServerModel } from './model.ts';

/** HAProxy's largest. */
const LARGEST_WEIGHT = 256;

/** Whether pods are counted, or are targets themselves. */
export function needsEndpoints({ externalTrafficPolicy, targets }: LoadBalancerSpec): boolean {
  return targets.mode === 'Pod' || externalTrafficPolicy === 'Local';
}

type FindServers = (frontend: Frontend) => ServerModel[];

/** The servers of each frontend of a LoadBalancer. */
export function findServers(loadBalancer: LoadBalancer, input: ModelInput): FindServers {
  const { mode } = loadBalancer.spec.targets;
  return mode === 'Pod' ? findPods(loadBalancer, input) : findNodes(loadBalancer, input);
}

/** Nodes by their first address of the Service's first family; who leaves isn't among them. */
function findNodes(loadBalancer: LoadBalancer, input: ModelInput): FindServers {
  const { spec } = loadBalancer;
  const isOfFamily = (address: string) => isIPv6(address) === (familyOf(spec) === 'IPv6');
  const nodes = targetNodes(input.nodes, spec)
    .filter(({ draining }) => !draining)
    .flatMap((node) => {
      const address = node.addresses.find(isOfFamily);
      return address === undefined ? [] : [{ node, address }];
    });
  const rules = input.provider.haproxy?.weights ?? [];
  const own = nodes.map(({ node }) => weightOf(node, rules));
  return (frontend) => {
    const port = spec.targets.mode === 'ForwardingPort' ? frontend.forwardingPort : frontend.nodePort;
    if (port === undefined) return [];
    const pods =
      spec.externalTrafficPolicy === 'Local' ? countPods(loadBalancer, frontend, input) : undefined;
    const counts = nodes.map(({ node }) => pods?.get(node.name) ?? 0);
    // Where nobody is ready, or that isn't known yet, health checks tell who serves.
    const isEven = counts.every((count) => count === 0);
    const weights = scale(own.map((weight, index) => weight * (isEven ? 1 : (counts[index] ?? 0))));
    return sortServers(nodes.map(({ address }, index) => buildServer(address, port, weights[index])));
  };
}

/** The first rule that fits. */
function weightOf({ labels }: TargetNode, rules: NonNullable<HaproxyConfig['weights']>): number {
  return rules.find(({ nodeSelector }) => matchesSelector(nodeSelector, labels))?.weight ?? 1;
}

/** How many pods of a frontend are ready on each node: with externalTrafficPolicy Local, a node sends traffic to these alone. */
function countPods(
  loadBalancer: LoadBalancer,
  frontend: Frontend,
  input: ModelInput,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const slice of input.slicesOf(loadBalancer)) {
    if (slice.addressType !== familyOf(loadBalancer.spec)) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const { nodeName } = endpoint;
      if (!nodeName || !takesTraffic(endpoint)) continue;
      const [target] = targetsOf(slice, endpoint, [frontend]);
      if (target !== undefined) counts.set(nodeName, (counts.get(nodeName) ?? 0) + 1);
    }
  }
  return counts;
}

/** As HAProxy takes them, in nearly the same proportions: nobody who ought to get anything gets nothing. */
function scale(weights: readonly number[]): number[] {
  const largest = Math.max(0, ...weights);
  if (largest <= LARGEST_WEIGHT) return [...weights];
  return weights.map((weight) =>
    weight === 0 ? 0 : Math.max(1, Math.round((weight * LARGEST_WEIGHT) / largest)),
  );
}

function familyOf({ ipFamilies }: LoadBalancerSpec): 'IPv4' | 'IPv6' {
  return ipFamilies?.[0] ?? 'IPv4';
}

function findPods(loadBalancer: LoadBalancer, input: ModelInput): FindServers {
  const slices = input.slicesOf(loadBalancer).filter(({ addressType }) => addressType !== 'FQDN');
  return (frontend) => {
    const found = slices.flatMap((slice) =>
      (slice.endpoints ?? [])
        .filter(takesTraffic)
        .flatMap((endpoint) => [...targetsOf(slice, endpoint, [frontend])]),
    );
    return sortServers(found.map(({ address, targetPort }) => buildServer(address, targetPort)));
  };
}

function buildServer(address: string, port: number, weight = 1): ServerModel {
  return { name: `${address}:${port}`, address, port, ...(weight === 1 ? {} : { weight }) };
}

/** Each once. */
function sortServers(servers: readonly ServerModel[]): ServerModel[] {
  const byName = new Map(servers.map((server) => [server.name, server]));
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
