import type { PortEndpoint } from './collect-endpoints.ts';
import { decideTopology, isMeantFor, type Place } from './decide-topology.ts';

/** Which endpoints of one port serve whom. */
export interface EndpointChoice {
  /** For whoever may use any endpoint. Without any, there is none anywhere. */
  cluster: PortEndpoint[];
  /** For traffic that must stay on this node; may hold endpoints that `cluster` doesn't. */
  local: PortEndpoint[];
}

/**
 * Ready endpoints, as their hints say; where there are none, those that terminate and still serve (KEP-1669), whatever
 * their hints say. Both sets fall back on their own: see `topology.go` of kube-proxy.
 */
export function chooseEndpoints(endpoints: readonly PortEndpoint[], place: Place): EndpointChoice {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const topology = decideTopology(ready, place);
  return {
    cluster: orTerminating(
      ready.filter((endpoint) => isMeantFor(endpoint, topology, place)),
      endpoints,
    ),
    local: orTerminating(
      ready.filter((endpoint) => endpoint.local),
      endpoints.filter((endpoint) => endpoint.local),
    ),
  };
}

function orTerminating(ready: PortEndpoint[], all: readonly PortEndpoint[]): PortEndpoint[] {
  return ready.length > 0 ? ready : all.filter((endpoint) => endpoint.serving && endpoint.terminating);
}
