import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubeClient } from '../../../../kube/client.ts';
import type { Node } from '../../../../kube/objects.ts';
import { NODES as NODE_KIND } from '../../../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../../controlplane/control-plane.ts';
import { installCrds } from '../../../controlplane/install-crds.ts';
import { AgentProcess } from '../../support/agent-process.ts';
import { FairleadProcess } from '../../support/fairlead-process.ts';
import { KubeProxyProcess } from '../../support/kube-proxy-process.ts';
import { ipBatch } from '../../support/run.ts';
import { Station } from '../../support/station.ts';
import { bridgesOf, buildTopology, CLUSTER_CIDRS, type TopologyNode } from '../../support/topology.ts';
import { CLIENT, NODES, OTHER_SOURCE, PODS } from './places.ts';
import { TARGET_PORT } from './services.ts';

export type KubeProxyMode = 'nftables' | 'iptables';

/** The test's own address on the node network: of the API server, and from where health is asked. */
const HOST = '10.89.0.1';
const CONFIG = fileURLToPath(new URL('../../../../config/', import.meta.url));

/** Two nodes in namespaces with a real API server, and on each both proxies, which no test finds started. */
export class BesideLab {
  readonly mode: KubeProxyMode;
  readonly plane: ControlPlane;
  readonly kubeProxies: KubeProxyProcess[] = [];
  readonly #stations: ReadonlyMap<string, Station>;
  readonly #agentKubeconfigs = new Map<string, string>();
  readonly #agents = new Map<string, FairleadProcess>();

  private constructor(mode: KubeProxyMode, plane: ControlPlane, stations: Map<string, Station>) {
    this.mode = mode;
    this.plane = plane;
    this.#stations = stations;
  }

  static async start(mode: KubeProxyMode): Promise<BesideLab> {
    const settings = ['net/ipv4/icmp_ratelimit=0', 'net/ipv6/icmp/ratelimit=0'];
    await buildTopology(NODES, PODS, { client: CLIENT, prefix: prefixOf(mode), settings });
    await ipBatch([`addr add ${HOST}/24 dev ${bridgesOf(prefixOf(mode)).nodeBridge}`]);
    await ipBatch(
      [
        `addr add ${OTHER_SOURCE.IPv4}/24 dev eth0`,
        `addr add ${OTHER_SOURCE.IPv6}/64 dev eth0 nodad preferred_lft 0`,
      ],
      CLIENT.name,
    );
    const [stations, plane] = await Promise.all([startStations(), startControlPlane({ address: HOST })]);
    const lab = new BesideLab(mode, plane, stations);
    try {
      await installCrds(plane.adminClient());
      await plane.kubectl(['apply', '-k', `${CONFIG}namespace`]);
      await plane.kubectl(['apply', '-k', `${CONFIG}rbac`]);
      for (const node of NODES) await lab.#addNode(node);
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  get client(): KubeClient {
    return this.plane.adminClient();
  }

  station({ name }: { name: string }): Station {
    const station = this.#stations.get(name);
    if (station === undefined) throw new Error(`there is no station ${name}`);
    return station;
  }

  /** Starts the agent of a node, which must not be running: serving Own unless a flag says otherwise. */
  async startAgent(node: TopologyNode, ...flags: string[]): Promise<void> {
    const serve = flags.includes('--serve=All') ? 'All' : 'Own';
    const agent = new FairleadProcess({
      ...placeOf(node),
      kubeconfig: this.#agentKubeconfigs.get(node.name) ?? '',
      dir: this.#dirOf(node),
      serve,
      flags: ['--audit-seconds', '1', ...flags.filter((flag) => !flag.startsWith('--serve='))],
    });
    this.#agents.set(node.name, agent);
    try {
      await agent.start();
    } catch (error) {
      // The next test starts it anew.
      await this.endAgent(node, 'kill');
      throw error;
    }
  }

  async endAgent(node: TopologyNode, how: 'stop' | 'kill'): Promise<void> {
    await this.#agents.get(node.name)?.[how]();
    this.#agents.delete(node.name);
  }

  /** What people run once the agent of a node is gone for good. */
  async cleanUp(node: TopologyNode): Promise<void> {
    await this.endAgent(node, 'kill');
    const status = await new AgentProcess(node.name, ['cleanup']).end();
    if (status !== 0) throw new Error(`agent cleanup ended with status ${status}`);
  }

  /** The same for kube-proxy: it ends, and a run of its own takes its rules away. */
  async cleanUpKubeProxy(node: TopologyNode): Promise<void> {
    await this.kubeProxy(node).kill();
    await this.kubeProxy(node).cleanUp();
  }

  /** Starts what isn't running on either node, serving Own, and waits for kube-proxy's rules. */
  async startMissing(): Promise<void> {
    for (const node of NODES) {
      if (!this.kubeProxy(node).running) await this.kubeProxy(node).start();
      if (!this.#agents.has(node.name)) await this.startAgent(node);
    }
  }

  kubeProxy(node: TopologyNode): KubeProxyProcess {
    const proxy = this.kubeProxies[NODES.indexOf(node)];
    if (proxy === undefined) throw new Error(`there is no kube-proxy on ${node.name}`);
    return proxy;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#agents.values(), ...this.kubeProxies].map((proxy) => proxy.kill()));
    for (const station of this.#stations.values()) station.stop();
    await this.plane.stop();
    const { nodeBridge, outsideBridge } = bridgesOf(prefixOf(this.mode));
    await ipBatch([
      ...[...NODES, ...PODS, CLIENT].map(({ name }) => `netns del ${name}`),
      `link del ${nodeBridge}`,
      `link del ${outsideBridge}`,
    ]);
  }

  async #addNode(node: TopologyNode): Promise<void> {
    await mkdir(this.#dirOf(node));
    const { metadata } = await this.client.create(NODE_KIND, nodeObject(node));
    this.#agentKubeconfigs.set(
      node.name,
      await this.plane.serviceAccountKubeconfig('fairlead-system', 'fairlead-agent', {
        node: { name: node.name, uid: metadata.uid ?? '' },
      }),
    );
    this.kubeProxies.push(
      new KubeProxyProcess({
        ...placeOf(node),
        mode: this.mode,
        kubeconfig: await this.plane.userKubeconfig('system:kube-proxy', []),
        dir: this.#dirOf(node),
        // Its default: what passes from one proxy to the other is to wait for it as it would in a cluster.
        settings: { [this.mode]: { minSyncPeriod: '1s' } },
      }),
    );
  }

  #dirOf({ name }: TopologyNode): string {
    return join(this.plane.dir, name);
  }
}

/** Links of a topology that ended may stay for a moment: the next one has names of its own. */
function prefixOf(mode: KubeProxyMode): string {
  return `bs-${mode.slice(0, 2)}`;
}

function placeOf({ name, address }: TopologyNode) {
  return {
    netns: name,
    nodeName: name,
    address,
    clusterCidrs: CLUSTER_CIDRS,
    nodePortAddresses: 'primary' as const,
  };
}

async function startStations(): Promise<Map<string, Station>> {
  const names = [...NODES, ...PODS, CLIENT].map(({ name }) => name);
  const stations = new Map(
    (await Promise.all(names.map((name) => Station.start(name)))).map((each) => [each.name, each]),
  );
  await Promise.all(PODS.map(({ name }) => stations.get(name)?.listen('tcp', TARGET_PORT)));
  return stations;
}

function nodeObject({ name, address, address6 }: TopologyNode): Node {
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    status: {
      addresses: [
        { type: 'InternalIP', address },
        { type: 'InternalIP', address: address6 },
      ],
    },
  };
}
