import type { PortEndpoint } from './collect-endpoints.ts';

/** Which endpoints of one port serve whom. */
export interface EndpointChoice {
  /** For whoever may use any endpoint. */
  cluster: PortEndpoint[];
  /** For traffic that must stay on this node; may hold endpoints that `cluster` doesn't. */
  local: PortEndpoint[];
}

/**
 * Ready endpoints; where there are none, those that terminate and still serve (KEP-1669). Both sets fall back on their
 * own: see `topology.go` of kube-proxy.
 */
export function chooseEndpoints(endpoints: readonly PortEndpoint[]): EndpointChoice {
  return {
    cluster: readyOrTerminating(endpoints),
    local: readyOrTerminating(endpoints.filter((endpoint) => endpoint.local)),
  };
}

function readyOrTerminating(endpoints: readonly PortEndpoint[]): PortEndpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  if (ready.length > 0) return ready;
  return endpoints.filter((endpoint) => endpoint.serving && endpoint.terminating);
}
