import { CLIENT, CONTROL_PLANE, type LabMachine, type LabNode } from './addresses.ts';
import type { NetworkScript } from './namespaces.ts';

/** No waiting for duplicate address detection: every address here is given out once. */
const QUICK_ADDRESSES = { 'ipv6/conf/all/accept_dad': 0, 'ipv6/conf/default/accept_dad': 0 };

/** What a Linux router has set; Kubernetes nodes are routers of their pods. */
const ROUTER = {
  ...QUICK_ADDRESSES,
  'ipv4/ip_forward': 1,
  'ipv6/conf/all/forwarding': 1,
  'ipv4/conf/all/rp_filter': 0,
  'ipv4/conf/default/rp_filter': 0,
  // Two pods of a node are routed by it in and out of the same link, which is as it should be (see buildPodNetwork).
  'ipv4/conf/all/send_redirects': 0,
  'ipv4/conf/default/send_redirects': 0,
};

/**
 * A bridge with an Ethernet address of its own (locally administered). By default it has the lowest of its ports', which
 * changes when a pod comes or goes, and every neighbour goes on sending to the address it knew.
 */
function addBridge(name: string, address: string): string {
  return `link add ${name} address ${address} type bridge forward_delay 0 mcast_snooping 0`;
}

/** The bridge's end of a namespace's link. */
export function portName(namespace: string, link: 'eth0' | 'eth1'): string {
  return `${namespace}-${link}`;
}

function plug(namespace: string, link: 'eth0' | 'eth1', bridge: string): string[] {
  const port = portName(namespace, link);
  return [
    `link add ${port} type veth peer name ${link} netns ${namespace}`,
    `link set ${port} master ${bridge} up`,
  ];
}

/** The two switches, the control plane's address, and the cables to every namespace (which are there already). */
export function buildSwitches(nodes: readonly LabNode[]): NetworkScript {
  return {
    sysctls: QUICK_ADDRESSES,
    ip: [
      'link set lo up',
      addBridge('br-node', '02:00:00:00:01:00'),
      addBridge('br-outside', '02:00:00:00:02:00'),
      `addr add ${CONTROL_PLANE.v4}/24 dev br-node`,
      `addr add ${CONTROL_PLANE.v6}/64 dev br-node nodad`,
      'link set br-node up',
      'link set br-outside up',
      ...nodes.flatMap((node) => [
        ...plug(node.name, 'eth0', 'br-node'),
        ...plug(node.name, 'eth1', 'br-outside'),
      ]),
      ...plug(CLIENT.name, 'eth1', 'br-outside'),
    ],
  };
}

/** One node: both networks, the bridge of its pods, and a static route over the node network to every other node's. */
export function buildNodeNetwork(node: LabNode, nodes: readonly LabNode[]): NetworkScript {
  const others = nodes.filter((other) => other.number !== node.number);
  return {
    sysctls: ROUTER,
    ip: [
      'link set lo up',
      `addr add ${node.internal.v4}/24 dev eth0`,
      `addr add ${node.internal.v6}/64 dev eth0 nodad`,
      'link set eth0 up',
      `addr add ${node.outside.v4}/24 dev eth1`,
      `addr add ${node.outside.v6}/64 dev eth1 nodad`,
      'link set eth1 up',
      addBridge('cni0', `02:00:00:00:03:0${node.number}`),
      `addr add ${node.podGateway.v4}/24 dev cni0`,
      `addr add ${node.podGateway.v6}/64 dev cni0 nodad`,
      'link set cni0 up',
      ...others.flatMap((other) => [
        `route add ${other.podCidr.v4} via ${other.internal.v4}`,
        `route add ${other.podCidr.v6} via ${other.internal.v6}`,
      ]),
      // A ClusterIP needs a route before it is rewritten on its way out.
      `route add default via ${CONTROL_PLANE.v4}`,
      `route add default via ${CONTROL_PLANE.v6}`,
    ],
  };
}

/** The cables of a machine that comes later, from the switches that are there. */
export function buildCables(name: string): NetworkScript {
  return { sysctls: {}, ip: [...plug(name, 'eth0', 'br-node'), ...plug(name, 'eth1', 'br-outside')] };
}

/** A machine in both networks that routes nothing, as one with a proxy doesn't. */
export function buildMachineNetwork({ internal, outside }: LabMachine): NetworkScript {
  return {
    sysctls: QUICK_ADDRESSES,
    ip: [
      'link set lo up',
      `addr add ${internal.v4}/24 dev eth0`,
      `addr add ${internal.v6}/64 dev eth0 nodad`,
      'link set eth0 up',
      `addr add ${outside.v4}/24 dev eth1`,
      `addr add ${outside.v6}/64 dev eth1 nodad`,
      'link set eth1 up',
    ],
  };
}

/** The client outside: one link, no router. */
export function buildClientNetwork(): NetworkScript {
  return {
    sysctls: QUICK_ADDRESSES,
    ip: [
      'link set lo up',
      `addr add ${CLIENT.v4}/24 dev eth1`,
      `addr add ${CLIENT.v6}/64 dev eth1 nodad`,
      'link set eth1 up',
    ],
  };
}

/**
 * A pod's end: a host route to the node and everything else by way of it. Not the whole pod CIDR on the link: an answer
 * to a pod of the same node would go past the node's rules then, and its address not be translated back.
 */
export function buildPodNetwork(node: LabNode, address: { v4: string; v6: string }): NetworkScript {
  return {
    sysctls: {
      ...QUICK_ADDRESSES,
      'ipv4/conf/all/accept_redirects': 0,
      'ipv6/conf/all/accept_redirects': 0,
      // As containerd and CRI-O set it: a pod may listen on port 80 without privileges.
      'ipv4/ip_unprivileged_port_start': 0,
    },
    ip: [
      'link set lo up',
      `addr add ${address.v4}/32 dev eth0`,
      `addr add ${address.v6}/128 dev eth0 nodad`,
      'link set eth0 up',
      `route add ${node.podGateway.v4} dev eth0`,
      `route add default via ${node.podGateway.v4}`,
      `route add ${node.podGateway.v6} dev eth0`,
      `route add default via ${node.podGateway.v6}`,
    ],
  };
}
