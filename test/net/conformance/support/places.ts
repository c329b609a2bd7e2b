import { namedNodeAt, podAt, type TopologyClient } from '../../support/topology.ts';

export type Family = 'IPv4' | 'IPv6';
export const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
export type Addresses = Readonly<Record<Family, string>>;

/** Who dials or serves: a station of the topology, under the address that others see. */
export interface Place {
  /** Of its station and network namespace. */
  name: string;
  addresses: Addresses;
  /** The node that a pod is on. */
  node?: Place;
  /** The addresses that a node shows its own pods and the outside, besides that of the node network. */
  others?: readonly Addresses[];
}

const names = { node: 'cn', pod: 'cp' };
export const NODES = [1, 2, 3].map((index) => namedNodeAt(names.node, index));
export const PODS = [podAt(1, 1, names), podAt(1, 2, names), podAt(2, 1, names), podAt(3, 1, names)];
export const CLIENT: TopologyClient = { name: 'cx', address: '198.18.0.100', address6: 'fd00:198::100' };
/** What a pod's link has on the node's side. */
const LINK: Addresses = { IPv4: '169.254.1.1', IPv6: 'fe80::1' };

export const [N1, N2, N3] = tripleOf(
  NODES.map(({ name, address, address6, outside, outside6 }) => ({
    name,
    addresses: { IPv4: address, IPv6: address6 },
    others: [{ IPv4: outside, IPv6: outside6 }, LINK],
  })),
);
/** Pods: two on N1, one on each other node. */
export const [P1A, P1B, P2A, P3A] = [podPlace(0, N1), podPlace(1, N1), podPlace(2, N2), podPlace(3, N3)];
/** Outside the cluster: routed to nodes' addresses, and by N1 to ClusterIPs, VIPs and external IPs. */
export const X: Place = {
  name: CLIENT.name,
  addresses: { IPv4: CLIENT.address, IPv6: CLIENT.address6 },
};
/** The same host, calling from another address of its own. */
export const X2: Place = { name: CLIENT.name, addresses: { IPv4: '198.18.0.101', IPv6: 'fd00:198::101' } };

export function familyOf(address: string): Family {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

function podPlace(index: number, node: Place): Place {
  const pod = PODS[index];
  if (pod === undefined) throw new Error(`there is no pod ${index}`);
  return { name: pod.name, node, addresses: { IPv4: pod.address, IPv6: pod.address6 } };
}

function tripleOf(places: Place[]): [Place, Place, Place] {
  const [first, second, third] = places;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes');
  return [first, second, third];
}
