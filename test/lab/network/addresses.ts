/** Where everything of the lab lives. IPv4 beside IPv6 throughout; one number `n` names a node in every network. */

export interface LabNode {
  /** The name of the Node object and of the network namespace. */
  name: string;
  /** 1, 2, 3: the last part of `n`th node's addresses is 10 + n. */
  number: number;
  /** Addresses on the node network, `eth0`: the Node's InternalIPs. */
  internal: { v4: string; v6: string };
  /** Addresses on the outside network, `eth1`: the side that load balancers are reached from. */
  outside: { v4: string; v6: string };
  /** The pod CIDRs that the node hands out, and its own addresses in them on `cni0`. */
  podCidr: { v4: string; v6: string };
  podGateway: { v4: string; v6: string };
}

export const SERVICE_CIDR = '10.96.0.0/16,fd00:96::/112';
export const POD_CIDR = '10.244.0.0/16,fd00:244::/48';

/** The control plane's end of the node network. */
export const CONTROL_PLANE = { v4: '10.89.0.1', v6: 'fd00:89::1' } as const;

/** The client stands in the outside network only: it knows no route to nodes' inner networks or pods. */
export const CLIENT = { name: 'client', v4: '198.18.0.100', v6: 'fd00:198::100' } as const;

export function labNode(number: number): LabNode {
  return {
    name: `node-${number}`,
    number,
    internal: { v4: `10.89.0.${10 + number}`, v6: `fd00:89::${10 + number}` },
    outside: { v4: `198.18.0.${10 + number}`, v6: `fd00:198::${10 + number}` },
    podCidr: { v4: `10.244.${number}.0/24`, v6: `fd00:244:0:${number}::/64` },
    podGateway: { v4: `10.244.${number}.1`, v6: `fd00:244:0:${number}::1` },
  };
}

export const LAB_NODES: readonly LabNode[] = [1, 2, 3].map(labNode);

/** A machine with a load balancer: in both networks as a node is, and no node. */
export type LabMachine = Pick<LabNode, 'name' | 'internal' | 'outside'>;

export function labEdge(number: number): LabMachine {
  return {
    name: `edge-${number}`,
    internal: { v4: `10.89.0.${20 + number}`, v6: `fd00:89::${20 + number}` },
    outside: { v4: `198.18.0.${20 + number}`, v6: `fd00:198::${20 + number}` },
  };
}
