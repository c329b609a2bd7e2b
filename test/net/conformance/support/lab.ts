import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubeClient } from '../../../../kube/client.ts';
import type { Node } from '../../../../kube/objects.ts';
import { NODES as NODE_KIND } from '../../../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../../controlplane/control-plane.ts';
import { installCrds } from '../../../controlplane/install-crds.ts';
import {
  createProxy,
  type ProxyName,
  type ProxyOptions,
  type ProxyProcess,
} from '../../support/proxy-process.ts';
import { ipBatch, run } from '../../support/run.ts';
import { Station } from '../../support/station.ts';
import type { Transport } from '../../support/station-protocol.ts';
import {
  bridgesOf,
  buildTopology,
  CLUSTER_CIDRS,
  portsOf,
  SERVICE_CIDRS,
  type TopologyNode,
} from '../../support/topology.ts';
import { CLIENT, FAMILIES, type Family, familyOf, NODES, PODS, X2 } from './places.ts';

export const ZONE_LABEL = 'topology.kubernetes.io/zone';
const PREFIX = 'cf';
/** The test's own address on the node network: of the API server, and from where health is asked. */
const HOST = { IPv4: '10.89.0.1', IPv6: 'fd00:89::1' };
/** The nodes' router: here, which forwards and answers nothing. */
const ROUTER = { IPv4: '10.89.0.254', IPv6: 'fd00:89::254' };
const LISTENING: readonly [Transport, number][] = [
  ['tcp', 8080],
  ['tcp', 8081],
  ['udp', 8080],
  ['udp', 8081],
  ['sctp', 8080],
];
const CONFIG = fileURLToPath(new URL('../../../../config/', import.meta.url));

interface NodeProxy {
  options: ProxyOptions;
  process: ProxyProcess;
}

/** A cluster of three nodes in namespaces: a real API server without controllers, and a proxy process on each node. */
export class ConformanceLab {
  readonly proxyName: ProxyName;
  /** Those that its Services, nodes and pods have. */
  readonly families: readonly Family[];
  readonly plane: ControlPlane;
  /** By node name. */
  readonly #proxies: Map<string, NodeProxy>;
  readonly #stations: ReadonlyMap<string, Station>;

  private constructor(
    proxyName: ProxyName,
    families: readonly Family[],
    plane: ControlPlane,
    proxies: Map<string, NodeProxy>,
    stations: Map<string, Station>,
  ) {
    this.proxyName = proxyName;
    this.families = families;
    this.plane = plane;
    this.#proxies = proxies;
    this.#stations = stations;
  }

  static async start(proxyName: ProxyName, families = FAMILIES): Promise<ConformanceLab> {
    // What the kernel rations would make refusals late: they are counted here, not their pace.
    const settings = [
      'net/ipv4/icmp_ratelimit=0',
      'net/ipv6/icmp/ratelimit=0',
      'net/ipv4/icmp_msgs_per_sec=100000',
    ];
    await buildTopology(NODES, PODS, { client: CLIENT, prefix: PREFIX, settings });
    await joinNodeNetwork();
    await leaveOnly(families);
    const [first = 'IPv4'] = families;
    const [stations, plane] = await Promise.all([
      startStations(),
      startControlPlane({ address: HOST[first], serviceCidr: ofFamilies(SERVICE_CIDRS, families).join() }),
    ]);
    const proxies = new Map<string, NodeProxy>();
    const lab = new ConformanceLab(proxyName, families, plane, proxies, stations);
    try {
      const client = plane.adminClient();
      await installCrds(client);
      if (proxyName === 'fairlead') {
        await plane.kubectl(['apply', '-k', `${CONFIG}namespace`]);
        await plane.kubectl(['apply', '-k', `${CONFIG}rbac`]);
      }
      for (const node of NODES) {
        const { metadata } = await client.create(NODE_KIND, nodeObject(node, families));
        const dir = join(plane.dir, node.name);
        await mkdir(dir);
        const kubeconfig = await lab.kubeconfigOf(node.name, metadata.uid ?? '');
        const { name: netns, name: nodeName } = node;
        const address = first === 'IPv4' ? node.address : node.address6;
        const nodePortAddresses = 'primary';
        const clusterCidrs = ofFamilies(CLUSTER_CIDRS, families);
        const options: ProxyOptions = {
          netns,
          nodeName,
          kubeconfig,
          address,
          dir,
          clusterCidrs,
          nodePortAddresses,
        };
        proxies.set(nodeName, { options, process: createProxy(proxyName, options) });
      }
      await Promise.all([...proxies.values()].map(({ process }) => process.start()));
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  get client(): KubeClient {
    return this.plane.adminClient();
  }

  station(name: string): Station {
    const station = this.#stations.get(name);
    if (station === undefined) throw new Error(`there is no station ${name}`);
    return station;
  }

  /** Ends the proxy of a node, and starts it with other options. */
  async reconfigure(node: string, change: Partial<ProxyOptions>): Promise<void> {
    const process = await this.exchange(node, change);
    await process.start();
  }

  /** Ends the proxy of a node; the one with other options is to be started. */
  async exchange(node: string, change: Partial<ProxyOptions>): Promise<ProxyProcess> {
    const { options, process } = this.#proxyOf(node);
    await process.kill();
    const changed = { ...options, ...change };
    const next = { options: changed, process: createProxy(this.proxyName, changed) };
    this.#proxies.set(node, next);
    return next.process;
  }

  /** With the rights that the proxy is given. */
  kubeconfigOf(nodeName: string, uid: string): Promise<string> {
    return this.proxyName === 'fairlead'
      ? this.plane.serviceAccountKubeconfig('fairlead-system', 'fairlead-agent', {
          node: { name: nodeName, uid },
        })
      : this.plane.userKubeconfig('system:kube-proxy', []);
  }

  proxy(node: string): ProxyProcess {
    return this.#proxyOf(node).process;
  }

  #proxyOf(node: string): NodeProxy {
    const proxy = this.#proxies.get(node);
    if (proxy === undefined) throw new Error(`there is no proxy on ${node}`);
    return proxy;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map(({ process }) => process.kill()));
    for (const station of this.#stations.values()) station.stop();
    await this.plane.stop();
    const { nodeBridge, outsideBridge } = bridgesOf(PREFIX);
    await ipBatch([
      // By name: the kernel takes its time with those of namespaces that go.
      ...portsOf(PREFIX, NODES).map((port) => `link del ${port}`),
      ...[...NODES, ...PODS, CLIENT].map(({ name }) => `netns del ${name}`),
      `link del ${nodeBridge}`,
      `link del ${outsideBridge}`,
    ]);
  }
}

/** Before the API server starts: it listens there. */
async function joinNodeNetwork(): Promise<void> {
  const { nodeBridge } = bridgesOf(PREFIX);
  await ipBatch([
    `addr add ${HOST.IPv4}/24 dev ${nodeBridge}`,
    `addr add ${HOST.IPv6}/64 dev ${nodeBridge} nodad`,
    `addr add ${ROUTER.IPv4}/24 dev ${nodeBridge}`,
    `addr add ${ROUTER.IPv6}/64 dev ${nodeBridge} nodad`,
  ]);
  await ipBatch(
    [
      `addr add ${X2.addresses.IPv4}/24 dev eth0`,
      `addr add ${X2.addresses.IPv6}/64 dev eth0 nodad preferred_lft 0`,
      // Where nobody announces them, the first node has the load balancers' addresses, and external ones.
      ...['198.51.0.0/16', '203.1.0.0/16'].map((range) => `route add ${range} via ${NODES[0]?.outside}`),
    ],
    CLIENT.name,
  );
}

/** In a cluster of one family nobody has an address of the other. */
async function leaveOnly(families: readonly Family[]): Promise<void> {
  const names = [...NODES, ...PODS, CLIENT].map(({ name }) => name);
  const others = FAMILIES.filter((family) => !families.includes(family));
  for (const family of others) {
    const leave =
      family === 'IPv4'
        ? 'ip -4 address flush scope global'
        : 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6';
    await Promise.all(names.map((name) => run('ip', 'netns', 'exec', name, 'sh', '-c', leave)));
  }
}

function ofFamilies(values: readonly string[], families: readonly Family[]): string[] {
  return values.filter((value) => families.includes(familyOf(value)));
}

async function startStations(): Promise<Map<string, Station>> {
  const names = [...NODES, ...PODS, CLIENT].map(({ name }) => name);
  const stations = await Promise.all(names.map((name) => Station.start(name)));
  await Promise.all(
    stations
      .filter(({ name }) => PODS.some((pod) => pod.name === name))
      .flatMap((station) => LISTENING.map(([transport, port]) => station.listen(transport, port))),
  );
  // Processes of nodes may be endpoints, too.
  const ofNodes = stations.filter(({ name }) => NODES.some((node) => node.name === name));
  await Promise.all(ofNodes.map((station) => station.listen('tcp', 8080)));
  return new Map(stations.map((station) => [station.name, station]));
}

/** Each node is in a zone of its own: `zone-cn1`. */
export function zoneOf(node: string): string {
  return `zone-${node}`;
}

function nodeObject({ name, address, address6 }: TopologyNode, families: readonly Family[]): Node {
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, [ZONE_LABEL]: zoneOf(name) } },
    status: {
      addresses: ofFamilies([address, address6], families).map((each) => ({
        type: 'InternalIP',
        address: each,
      })),
    },
  };
}
