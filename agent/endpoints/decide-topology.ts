import type { PortEndpoint } from './collect-endpoints.ts';

/** Where a node is. */
export interface Place {
  nodeName: string;
  /** Its label `topology.kubernetes.io/zone`. */
  zone?: string | undefined;
}

export type Topology = 'PreferSameNode' | 'PreferSameZone' | 'Any';

/**
 * How far ready endpoints are confined by their hints (KEP-2433, KEP-3015): to this node, else to its zone, each only when
 * every ready endpoint has a hint of that kind and at least one is for here.
 */
export function decideTopology(ready: readonly PortEndpoint[], place: Place): Topology {
  if (ready.length === 0) return 'Any';
  if (
    ready.every(({ nodeHints }) => nodeHints.length > 0) &&
    ready.some(({ nodeHints }) => nodeHints.includes(place.nodeName))
  ) {
    return 'PreferSameNode';
  }
  const { zone } = place;
  if (
    zone !== undefined &&
    ready.every(({ zoneHints }) => zoneHints.length > 0) &&
    ready.some(({ zoneHints }) => zoneHints.includes(zone))
  ) {
    return 'PreferSameZone';
  }
  return 'Any';
}

/** Whether an endpoint serves here. */
export function isMeantFor(endpoint: PortEndpoint, topology: Topology, place: Place): boolean {
  if (topology === 'PreferSameNode') return endpoint.nodeHints.includes(place.nodeName);
  if (topology === 'PreferSameZone') return endpoint.zoneHints.includes(place.zone ?? '');
  return true;
}
