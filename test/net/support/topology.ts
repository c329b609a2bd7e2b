import { ipBatch, run } from './run.ts';

/** A node with the addresses that it has on the node network and outside. */
export interface TopologyNode {
  name: string;
  address: string;
  address6: string;
  outside: string;
  outside6: string;
}

export interface TopologyPod {
  name: string;
  node: string;
  address: string;
  address6: string;
}

export const CLUSTER_CIDRS = ['10.244.0.0/16', 'fd00:244::/32'];
export const SERVICE_CIDRS = ['10.96.0.0/16', 'fd00:96::/112'];
/** A host outside the cluster. */
export interface TopologyClient {
  name: string;
  address: string;
  address6: string;
}

export interface TopologyOptions {
  /** @default CLIENT */
  client?: TopologyClient;
  /** Begins the names of bridges and their ports; topologies of one network namespace need different ones. @default fwd */
  prefix?: string;
  /** More kernel settings of every namespace, where the kernel has them, such as `net/ipv4/icmp_ratelimit=0`. */
  settings?: readonly string[];
}

export const CLIENT: TopologyClient = { name: 'x', address: '198.18.0.100', address6: 'fd00:198::100' };

export function nodeAt(index: number): TopologyNode {
  return namedNodeAt('n', index);
}

/** The same, with a name that starts otherwise: of another topology in this network namespace. */
export function namedNodeAt(prefix: string, index: number): TopologyNode {
  return {
    name: `${prefix}${index}`,
    address: `10.89.0.1${index}`,
    address6: `fd00:89::1${index}`,
    outside: `198.18.0.1${index}`,
    outside6: `fd00:198::1${index}`,
  };
}

export function podAt(node: number, index: number, prefixes = { node: 'n', pod: 'p' }): TopologyPod {
  return {
    name: `${prefixes.pod}${node}-${index}`,
    node: `${prefixes.node}${node}`,
    address: `10.244.${node}.${index + 1}`,
    address6: `fd00:244:${node}::${index + 1}`,
  };
}

/**
 * Namespaces joined by bridges in this one: nodes on a node network and an outside network, pods behind them by routes of
 * their own (as ptp and Calico make them, so that no two pods share a link), and a client outside. Service addresses are
 * routed: by nodes to where nobody is, by the client to the first node. Only inside scripts/in-namespaces.
 */
export async function buildTopology(
  nodes: readonly TopologyNode[],
  pods: readonly TopologyPod[],
  { client = CLIENT, prefix = 'fwd', settings = [] }: TopologyOptions = {},
): Promise<void> {
  const names = [...nodes, ...pods, client].map(({ name }) => name);
  const { nodeBridge, outsideBridge } = bridgesOf(prefix);
  await ipBatch(names.map((name) => `netns add ${name}`));
  // Before there are links: each takes its settings when it is made.
  await Promise.all(names.map((name) => prepareKernel(name, settings)));
  await ipBatch([
    ...[nodeBridge, outsideBridge].flatMap((bridge) => [
      `link add ${bridge} type bridge forward_delay 0`,
      `link set ${bridge} up`,
    ]),
    ...nodes.flatMap(({ name }, index) => [
      ...plug(`${prefix}-n${index}`, nodeBridge, name, 'eth0'),
      ...plug(`${prefix}-o${index}`, outsideBridge, name, 'eth1'),
    ]),
    ...plug(`${prefix}-x`, outsideBridge, client.name, 'eth0'),
    ...pods.map(({ name, node }) => `link add ${name} netns ${node} type veth peer name eth0 netns ${name}`),
  ]);
  await Promise.all([
    ...nodes.map((node) => configureNode(node, nodes, pods)),
    ...pods.map(configurePod),
    configureClient(client, nodes),
  ]);
}

/** The bridges of a topology, in the namespace that it was built from. */
export function bridgesOf(prefix: string): { nodeBridge: string; outsideBridge: string } {
  return { nodeBridge: `${prefix}-nodes`, outsideBridge: `${prefix}-outside` };
}

/** What is plugged into these bridges. */
export function portsOf(prefix: string, nodes: readonly TopologyNode[]): string[] {
  return [...nodes.flatMap((_, index) => [`${prefix}-n${index}`, `${prefix}-o${index}`]), `${prefix}-x`];
}

function plug(port: string, bridge: string, netns: string, device: string): string[] {
  return [
    `link add ${port} type veth peer name ${device} netns ${netns}`,
    `link set ${port} master ${bridge}`,
    `link set ${port} up`,
  ];
}

async function prepareKernel(netns: string, more: readonly string[]): Promise<void> {
  const settings = [
    'net/ipv4/ip_forward=1',
    'net/ipv6/conf/all/forwarding=1',
    'net/ipv6/conf/all/accept_dad=0',
    'net/ipv6/conf/default/accept_dad=0',
    'net/ipv4/conf/all/rp_filter=0',
    'net/ipv4/conf/default/rp_filter=0',
  ];
  const fileOf = (path: string | undefined) => `/proc/sys/${path}`;
  const write = (setting: string) => setting.replace(/^(.*)=(.*)$/, `echo $2 > ${fileOf('$1')}`);
  const script = [
    ...settings.map(write),
    // Not every kernel lets a namespace have its own of these.
    ...more.map((setting) => `if [ -w ${fileOf(setting.split('=')[0])} ]; then ${write(setting)}; fi`),
  ];
  await run('ip', 'netns', 'exec', netns, 'sh', '-c', script.join(' && '));
}

async function configureNode(
  { name, address, address6, outside, outside6 }: TopologyNode,
  nodes: readonly TopologyNode[],
  pods: readonly TopologyPod[],
): Promise<void> {
  await ipBatch(
    [
      'link set lo up',
      'link set eth0 up',
      'link set eth1 up',
      `addr add ${address}/24 dev eth0`,
      `addr add ${address6}/64 dev eth0 nodad`,
      `addr add ${outside}/24 dev eth1`,
      `addr add ${outside6}/64 dev eth1 nodad`,
      // What leaves a node for a Service must have a route, though it never takes it.
      'route add default via 10.89.0.254',
      'route add ::/0 via fd00:89::254',
      ...pods
        .filter(({ node }) => node === name)
        .flatMap((pod) => [
          `link set ${pod.name} up`,
          `addr add 169.254.1.1/32 dev ${pod.name}`,
          `addr add fe80::1/64 dev ${pod.name} nodad`,
          `route add ${pod.address}/32 dev ${pod.name}`,
          `route add ${pod.address6}/128 dev ${pod.name}`,
        ]),
      ...nodes
        .filter((other) => other.name !== name)
        .flatMap((other) => {
          const number = /\d+$/.exec(other.name)?.[0];
          return [
            `route add 10.244.${number}.0/24 via ${other.address}`,
            `route add fd00:244:${number}::/48 via ${other.address6}`,
          ];
        }),
    ],
    name,
  );
}

async function configurePod({ name, address, address6 }: TopologyPod): Promise<void> {
  await ipBatch(
    [
      'link set lo up',
      'link set eth0 up',
      `addr add ${address}/32 dev eth0`,
      `addr add ${address6}/128 dev eth0 nodad`,
      'route add 169.254.1.1/32 dev eth0',
      'route add default via 169.254.1.1 dev eth0',
      'route add ::/0 via fe80::1 dev eth0',
    ],
    name,
  );
}

async function configureClient(client: TopologyClient, nodes: readonly TopologyNode[]): Promise<void> {
  const [first] = nodes;
  if (first === undefined) throw new Error('there is no node');
  await ipBatch(
    [
      'link set lo up',
      'link set eth0 up',
      `addr add ${client.address}/24 dev eth0`,
      `addr add ${client.address6}/64 dev eth0 nodad`,
      ...nodes.flatMap((node) => [
        `route add ${node.address}/32 via ${node.outside}`,
        `route add ${node.address6}/128 via ${node.outside6}`,
      ]),
      `route add 10.96.0.0/16 via ${first.outside}`,
      `route add fd00:96::/112 via ${first.outside6}`,
      // Where nobody announces them, the first node has the load balancers' addresses, and external ones.
      `route add 203.0.113.0/24 via ${first.outside}`,
      `route add fd00:203::/64 via ${first.outside6}`,
    ],
    client.name,
  );
}
