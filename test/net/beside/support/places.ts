import { namedNodeAt, podAt, type TopologyClient } from '../../support/topology.ts';

const names = { node: 'bn', pod: 'bp' };

function pair<T>(make: (index: number) => T): readonly [T, T] {
  return [make(1), make(2)];
}

/** The client's packets for routed addresses come to the first one. */
export const [B1, B2] = pair((index) => namedNodeAt(names.node, index));
/** One on each node; both serve. */
export const [P1, P2] = pair((index) => podAt(index, 1, names));
export const NODES = [B1, B2];
export const PODS = [P1, P2];
/** Outside the cluster. */
export const CLIENT: TopologyClient = { name: 'bx', address: '198.18.0.100', address6: 'fd00:198::100' };
/** More addresses of the client. */
export const OTHER_SOURCE = { IPv4: '198.18.0.101', IPv6: 'fd00:198::101' };
