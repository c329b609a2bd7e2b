import { ConntrackCleaner } from '../../../agent/conntrack/conntrack-cleaner.ts';
import { createFlowTable } from '../../../agent/conntrack/flow-table.ts';
import { Forwarding } from '../../../agent/forwarding.ts';
import { createNft } from '../../../agent/nftables/run-nft.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { EndpointSlice, Node, Service, ServiceCIDR } from '../../../kube/objects.ts';
import { Store } from '../../../kube/store.ts';
import { Station } from './station.ts';
import type { Transport } from './station-protocol.ts';
import {
  buildTopology,
  CLIENT,
  CLUSTER_CIDRS,
  nodeAt,
  podAt,
  SERVICE_CIDRS,
  type TopologyNode,
} from './topology.ts';

export const NODES = [1, 2, 3].map(nodeAt);
/** Two on node-1, one on each other. */
export const PODS = [podAt(1, 1), podAt(1, 2), podAt(2, 1), podAt(3, 1)];
export const POD_PORTS: readonly [Transport, number][] = [
  ['tcp', 8080],
  ['tcp', 8081],
  ['udp', 8080],
  ['sctp', 8080],
];
export const MARK_BIT = 0x2000;

/** The objects of a cluster: what an API server would tell. */
export interface ClusterObjects {
  services: Service[];
  slices: EndpointSlice[];
  loadBalancers?: LoadBalancer[];
}

/** Nodes, pods and a client in namespaces, and on each node the agent's forwarding, fed with plain objects. */
export class ForwardingLab {
  readonly stations: ReadonlyMap<string, Station>;
  readonly agents: NodeAgent[];

  private constructor(stations: Map<string, Station>, agents: NodeAgent[]) {
    this.stations = stations;
    this.agents = agents;
  }

  static async start(): Promise<ForwardingLab> {
    await buildTopology(NODES, PODS);
    const names = [...NODES, ...PODS, CLIENT].map(({ name }) => name);
    const stations = new Map(
      (await Promise.all(names.map((name) => Station.start(name)))).map((each) => [each.name, each]),
    );
    await Promise.all(
      PODS.flatMap(({ name }) =>
        POD_PORTS.map(([transport, port]) => stations.get(name)?.listen(transport, port)),
      ),
    );
    const agents = NODES.map((node) => new NodeAgent(node));
    await Promise.all(agents.map((agent) => agent.start()));
    return new ForwardingLab(stations, agents);
  }

  station(name: string): Station {
    const station = this.stations.get(name);
    if (station === undefined) throw new Error(`there is no station ${name}`);
    return station;
  }

  get client(): Station {
    return this.station(CLIENT.name);
  }

  /** Makes this the whole cluster; resolves when every kernel has it. */
  async become(objects: ClusterObjects): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.become(objects)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.stop()));
    for (const station of this.stations.values()) station.stop();
  }
}

/** What an agent is but for the API server. */
export class NodeAgent {
  readonly node: TopologyNode;
  readonly prefix: readonly string[];
  readonly refused: string[] = [];
  readonly findings: string[] = [];
  readonly #auditMs: number;
  #stores = createStores();
  #forwarding: Forwarding;
  #conntrack: ConntrackCleaner;

  constructor(node: TopologyNode, options: { auditMs?: number } = {}) {
    this.node = node;
    this.prefix = ['ip', 'netns', 'exec', node.name];
    this.#auditMs = options.auditMs ?? 3_600_000;
    this.#conntrack = this.#createCleaner();
    this.#forwarding = this.#create();
  }

  get forwarding(): Forwarding {
    return this.#forwarding;
  }

  async start(): Promise<void> {
    const { name, address, address6 } = this.node;
    this.#stores.nodes.replace([
      {
        metadata: { name },
        status: {
          addresses: [
            { type: 'InternalIP', address },
            { type: 'InternalIP', address: address6 },
          ],
        },
      },
    ]);
    this.#stores.serviceCidrs.replace([{ metadata: { name: 'kubernetes' }, spec: { cidrs: SERVICE_CIDRS } }]);
    await this.#forwarding.start();
  }

  async become({ services, slices, loadBalancers = [] }: ClusterObjects): Promise<void> {
    this.#stores.services.replace(services);
    this.#stores.slices.replace(slices);
    this.#stores.loadBalancers.replace(loadBalancers);
    await this.#forwarding.settled();
  }

  /** As after a kill: all that it knew is gone but for what the API server tells it again, and what the kernel has. */
  async restart(objects: ClusterObjects): Promise<void> {
    await this.stop();
    this.#stores = createStores();
    this.#conntrack = this.#createCleaner();
    this.#forwarding = this.#create();
    this.#stores.services.replace(objects.services);
    this.#stores.slices.replace(objects.slices);
    this.#stores.loadBalancers.replace(objects.loadBalancers ?? []);
    await this.start();
  }

  async stop(): Promise<void> {
    await this.#forwarding.stop();
    await this.#conntrack.stop();
  }

  #createCleaner(): ConntrackCleaner {
    return new ConntrackCleaner({
      table: createFlowTable(this.prefix),
      context: () => this.#forwarding.context,
      nodePortAddresses: () => this.#forwarding.nodePortAddresses,
      log: silentLogger,
    });
  }

  #create(): Forwarding {
    return new Forwarding({
      nodeName: this.node.name,
      stores: this.#stores,
      clusterCidrs: CLUSTER_CIDRS,
      nodePortAddresses: 'primary',
      markBit: MARK_BIT,
      externalIps: ['0.0.0.0/0', '::/0'].map((cidr) => ({ namespace: '*', cidr })),
      auditMs: this.#auditMs,
      log: silentLogger,
      nft: createNft(this.prefix),
      onRefused: (owner) => this.refused.push(owner),
      onFinding: (finding) => this.findings.push(finding),
      observers: [this.#conntrack],
    });
  }
}

function createStores() {
  return {
    services: new Store<Service>(),
    slices: new Store<EndpointSlice>(),
    loadBalancers: new Store<LoadBalancer>(),
    nodes: new Store<Node>(),
    serviceCidrs: new Store<ServiceCIDR>(),
  };
}
