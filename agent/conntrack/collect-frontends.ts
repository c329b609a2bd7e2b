import type { Protocol } from '../../kube/objects.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import { collectEndpoints, portKey } from '../endpoints/collect-endpoints.ts';
import { collectNodePorts } from '../nftables/build-port-frontends.ts';
import { collectFrontAddresses } from '../nftables/collect-front-addresses.ts';
import type { NodeContext } from '../node-context.ts';
import type { ServedInputs } from '../service-observer.ts';

/** Where clients reach a port of a Service over one protocol, and whom they may be talking to there. */
export interface TrackedFrontend {
  family: Family;
  /** See `frontendKey`. */
  key: string;
  /** `address port` of each endpoint that serves, though it may get no new connections: those that terminate, and all nodes'. */
  endpoints: ReadonlySet<string>;
}

/** Stands for an address and port; an address of `*` for a port of the node. */
export function frontendKey(address: string, port: number): string {
  return `${address} ${port}`;
}

/**
 * The frontends of a Service over one protocol. What serves is asked without traffic policies, hints and readiness, as
 * kube-proxy does (`pkg/proxy/conntrack/cleanup.go`): a change of those is no reason to break a flow.
 */
export function collectFrontends(
  inputs: ServedInputs,
  protocol: Protocol,
  node: NodeContext,
): TrackedFrontend[] {
  const { service, slices, loadBalancers, part } = inputs;
  const ports = (service.spec.ports ?? []).filter((port) => (port.protocol ?? 'TCP') === protocol);
  if (ports.length === 0) return [];
  const byPort = collectEndpoints(slices, node.nodeName);
  const frontends: TrackedFrontend[] = [];
  for (const [family, addresses] of collectFrontAddresses(service, loadBalancers, part, node).byFamily) {
    const { clusterIp, vips, externalIps } = addresses;
    const dialled = [...(part === 'Everything' ? [clusterIp] : []), ...vips, ...externalIps];
    for (const port of ports) {
      const serving = (byPort.get(portKey(family, port.name, port.protocol)) ?? [])
        .filter((endpoint) => endpoint.serving)
        .map((endpoint) => frontendKey(endpoint.address, endpoint.port));
      const endpoints = new Set(serving);
      const keys = [
        ...dialled.map((address) => frontendKey(address, port.port)),
        ...collectNodePorts(part, port, loadBalancers).map((number) => frontendKey('*', number)),
      ];
      for (const key of new Set(keys)) frontends.push({ family, key, endpoints });
    }
  }
  return frontends;
}
