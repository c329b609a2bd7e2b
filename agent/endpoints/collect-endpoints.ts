import { HEADLESS_LABEL } from '../../kube/endpoint-slices.ts';
import type { Endpoint, EndpointSlice, Protocol } from '../../kube/objects.ts';
import { canonicalAddress, type Family } from './canonical-address.ts';

/** One address and port behind one port of a Service. */
export interface PortEndpoint {
  family: Family;
  address: string;
  port: number;
  /** On this node. */
  local: boolean;
  ready: boolean;
  serving: boolean;
  terminating: boolean;
  /** Nodes and zones that it is meant for; none: no hint. */
  nodeHints: readonly string[];
  zoneHints: readonly string[];
}

/** Endpoints by `portKey`. */
export type EndpointsByPort = ReadonlyMap<string, readonly PortEndpoint[]>;

const FAMILY_OF_TYPE: Readonly<Record<string, Family>> = { IPv4: 'ip', IPv6: 'ip6' };

/** What joins a port of a Service with a port of its slices: a name serves one protocol. */
export function portKey(family: Family, name: string | undefined, protocol: Protocol | undefined): string {
  return `${family} ${protocol ?? 'TCP'} ${name ?? ''}`;
}

/**
 * The endpoints of one Service, from all its slices, each address and port once. Follows kube-proxy's
 * `endpointslicecache.go`: only the first address of an endpoint counts; ports without a name or number, addresses of
 * another family than the slice's, and slices of names (FQDN) are passed over.
 */
export function collectEndpoints(slices: readonly EndpointSlice[], nodeName: string): EndpointsByPort {
  const byPort = new Map<string, Map<string, PortEndpoint>>();
  for (const slice of slices) {
    const family = FAMILY_OF_TYPE[slice.addressType];
    if (family === undefined || slice.metadata.labels?.[HEADLESS_LABEL] !== undefined) continue;
    for (const { name, protocol, port } of slice.ports ?? []) {
      if (name === undefined || name === null || !port) continue;
      const key = portKey(family, name, protocol);
      const known = byPort.get(key) ?? new Map<string, PortEndpoint>();
      byPort.set(key, known);
      for (const endpoint of slice.endpoints ?? []) {
        const candidate = readEndpoint(endpoint, port, family, nodeName);
        if (candidate === null) continue;
        const id = `${candidate.address} ${port}`;
        const rival = known.get(id);
        if (rival === undefined || isBetter(candidate, rival)) known.set(id, candidate);
      }
    }
  }
  return new Map(Array.from(byPort, ([key, endpoints]) => [key, [...endpoints.values()]]));
}

function readEndpoint(
  endpoint: Endpoint,
  port: number,
  family: Family,
  nodeName: string,
): PortEndpoint | null {
  const address = canonicalAddress(endpoint.addresses[0] ?? '');
  if (address === null || address.family !== family) return null;
  const { ready, serving, terminating } = endpoint.conditions ?? {};
  const { forNodes, forZones } = endpoint.hints ?? {};
  return {
    family,
    address: address.text,
    port,
    local: endpoint.nodeName === nodeName,
    ready: ready ?? true,
    serving: serving ?? true,
    terminating: terminating ?? false,
    nodeHints: namesOf(forNodes),
    zoneHints: namesOf(forZones),
  };
}

const NO_NAMES: readonly string[] = [];

function namesOf(hints: readonly { name: string }[] | undefined): readonly string[] {
  return hints === undefined || hints.length === 0 ? NO_NAMES : hints.map(({ name }) => name);
}

/**
 * Of two claims to the same address and port the living one counts: a terminating pod's address is given out anew (host
 * network, or a quick CNI). Beyond that any order does, as long as it doesn't depend on the order of slices.
 */
function isBetter(a: PortEndpoint, b: PortEndpoint): boolean {
  return rank(a) > rank(b);
}

function rank({ terminating, ready, serving, local }: PortEndpoint): number {
  return (terminating ? 0 : 8) + (ready ? 4 : 0) + (serving ? 2 : 0) + (local ? 1 : 0);
}
