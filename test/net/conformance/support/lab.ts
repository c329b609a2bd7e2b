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
import { ipBatch } from '../../support/run.ts';
import { Station } from '../../support/station.ts';
import type { Transport } from '../../support/station-protocol.ts';
import { bridgesOf, buildTopology, CLUSTER_CIDRS, type TopologyNode } from '../../support/topology.ts';
import { CLIENT, NODES, PODS, X2 } from './places.ts';

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
  readonly plane: ControlPlane;
  /** By node name. */
  readonly #proxies: Map<string, NodeProxy>;
  readonly #stations: ReadonlyMap<string, Station>;

  private constructor(
    proxyName: ProxyName,
    plane: ControlPlane,
    proxies: Map<string, NodeProxy>,
    stations: Map<string, Station>,
  ) {
    this.proxyName = proxyName;
    this.plane = plane;
    this.#proxies = proxies;
    this.#stations = stations;
  }

  static async start(proxyName: ProxyName): Promise<ConformanceLab> {
    // What the kernel rations would make refusals late: they are counted here, not their pace.
    const settings = [
      'net/ipv4/icmp_ratelimit=0',
      'net/ipv6/icmp/ratelimit=0',
      'net/ipv4/icmp_msgs_per_sec=100000',
    ];
    await buildTopology(NODES, PODS, { client: CLIENT, prefix: PREFIX, settings });
    await joinNodeNetwork();
    const [stations, plane] = await Promise.all([startStations(), startControlPlane({ address: HOST.IPv4 })]);
    const proxies = new Map<string, NodeProxy>();
    const lab = new ConformanceLab(proxyName, plane, proxies, stations);
    try {
      const client = plane.adminClient();
      await installCrds(client);
      if (proxyName === 'fairlead') {
        await plane.kubectl(['apply', '-k', `${CONFIG}namespace`]);
        await plane.kubectl(['apply', '-k', `${CONFIG}rbac`]);
      }
      for (const node of NODES) {
        const { metadata } = await client.create(NODE_KIND, nodeObject(node));
        const dir = join(plane.dir, node.name);
        await mkdir(dir);
        const kubeconfig =
          proxyName === 'fairlead'
            ? await plane.serviceAccountKubeconfig('fairlead-system', 'fairlead-agent', {
                node: { name: node.name, uid: metadata.uid ?? '' },
              })
            : await plane.userKubeconfig('system:kube-proxy', []);
        const { name: netns, name: nodeName, address } = node;
        const nodePortAddresses = 'primary';
        const clusterCidrs = CLUSTER_CIDRS;
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
    const { options, process } = this.#proxyOf(node);
    await process.kill();
    const changed = { ...options, ...change };
    const next = { options: changed, process: createProxy(this.proxyName, changed) };
    this.#proxies.set(node, next);
    await next.process.start();
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

function nodeObject({ name, address, address6 }: TopologyNode): Node {
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name, [ZONE_LABEL]: zoneOf(name) } },
    status: {
      addresses: [
        { type: 'InternalIP', address },
        { type: 'InternalIP', address: address6 },
      ],
    },
  };
}
