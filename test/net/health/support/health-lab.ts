import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubeClient } from '../../../../kube/client.ts';
import { NODES } from '../../../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../../controlplane/control-plane.ts';
import { installCrds } from '../../../controlplane/install-crds.ts';
import { AgentProcess } from '../../support/agent-process.ts';
import { KubeProxyProcess } from '../../support/kube-proxy-process.ts';
import { ipBatch } from '../../support/run.ts';
import { Station } from '../../support/station.ts';

export interface LabNode {
  name: string;
  address: string;
  address6: string;
  /** Of pods that the node has, in its own namespace. */
  pods: readonly [string, string];
  pods6: readonly [string, string];
}

const BRIDGE = 'health';
const HOST = '10.87.0.1';
const HOST6 = 'fd00:87::1';
const CONFIG = fileURLToPath(new URL('../../../../config/', import.meta.url));

/** The agent's node, another agent's, and kube-proxy's. */
export const AGENT = nodeAt(1, 'health-agent');
export const OTHER = nodeAt(2, 'health-other');
export const ORACLE = nodeAt(3, 'health-oracle');
const ALL = [AGENT, OTHER, ORACLE];

function nodeAt(index: number, name: string): LabNode {
  return {
    name,
    address: `10.87.0.1${index}`,
    address6: `fd00:87::1${index}`,
    pods: [`10.244.${index}.1`, `10.244.${index}.2`],
    pods6: [`fd00:244:${index}::1`, `fd00:244:${index}::2`],
  };
}

/** A real API server, and three nodes in namespaces on one bridge: two with agents, one with real kube-proxy. */
export class HealthLab {
  readonly plane: ControlPlane;
  readonly stations = new Map<string, Station>();
  #agents = new Map<string, AgentProcess>();
  #kubeProxy: KubeProxyProcess | undefined;

  private constructor(plane: ControlPlane) {
    this.plane = plane;
  }

  static async start(): Promise<HealthLab> {
    await makeNetwork();
    const lab = new HealthLab(await startControlPlane({ address: HOST }));
    const { plane, client } = lab;
    await installCrds(client);
    await plane.kubectl(['apply', '-k', `${CONFIG}namespace`]);
    await plane.kubectl(['apply', '-k', `${CONFIG}rbac`]);
    for (const { name, address, address6 } of ALL) {
      const addresses = [address, address6].map((each) => ({ type: 'InternalIP', address: each }));
      await client.create(NODES, { metadata: { name }, status: { addresses } });
      const station = await Station.start(name);
      await station.listen('tcp', 8080);
      lab.stations.set(name, station);
    }
    await Promise.all([lab.startAgent(AGENT), lab.startAgent(OTHER), lab.#startKubeProxy()]);
    return lab;
  }

  get client(): KubeClient {
    return this.plane.adminClient();
  }

  /** With the rights that agents have; resolves once it has programmed everything. */
  async startAgent({ name, address }: LabNode, flags: readonly string[] = []): Promise<void> {
    const kubeconfig = await this.plane.serviceAccountKubeconfig('fairlead-system', 'fairlead-agent');
    const common = ['--node-name', name, '--kubeconfig', kubeconfig, '--cluster-cidr', '10.244.0.0/16'];
    const own = [
      '--serve',
      'All',
      '--metrics-address',
      `${address}:10249`,
      '--external-ips',
      '*=203.0.113.0/24',
    ];
    const agent = new AgentProcess(name, [...common, ...own, ...flags]);
    this.#agents.set(name, agent);
    await agent.says('Programmed', 60_000);
  }

  async stopAgent({ name }: LabNode): Promise<void> {
    await this.#agents.get(name)?.end('SIGTERM');
    this.#agents.delete(name);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.end('SIGKILL')));
    await this.#kubeProxy?.kill();
    for (const station of this.stations.values()) station.stop();
    await this.plane.stop();
    await ipBatch([...ALL.map(({ name }) => `netns del ${name}`), `link del ${BRIDGE}`]);
  }

  async #startKubeProxy(): Promise<void> {
    const { name, address } = ORACLE;
    const dir = join(this.plane.dir, name);
    await mkdir(dir);
    this.#kubeProxy = new KubeProxyProcess({
      netns: name,
      nodeName: name,
      kubeconfig: await this.plane.userKubeconfig('system:kube-proxy', []),
      clusterCidrs: ['10.244.0.0/16'],
      nodePortAddresses: 'primary',
      address,
      dir,
      settings: { metricsBindAddress: `${address}:10249` },
    });
    await this.#kubeProxy.start();
  }
}

async function makeNetwork(): Promise<void> {
  await ipBatch([
    `link add ${BRIDGE} type bridge forward_delay 0`,
    `addr add ${HOST}/24 dev ${BRIDGE}`,
    `addr add ${HOST6}/64 dev ${BRIDGE} nodad`,
    `link set ${BRIDGE} up`,
    ...ALL.flatMap(({ name }, index) => [
      `netns add ${name}`,
      `link add ${BRIDGE}-${index} type veth peer name eth0 netns ${name}`,
      `link set ${BRIDGE}-${index} master ${BRIDGE}`,
      `link set ${BRIDGE}-${index} up`,
    ]),
  ]);
  for (const { name, address, address6, pods, pods6 } of ALL) {
    await ipBatch(
      [
        'link set lo up',
        'link set eth0 up',
        `addr add ${address}/24 dev eth0`,
        `addr add ${address6}/64 dev eth0 nodad`,
        `route add default via ${HOST}`,
        `route add ::/0 via ${HOST6}`,
        ...ALL.filter((other) => other.name !== name).flatMap((other) => [
          ...other.pods.map((pod) => `route add ${pod}/32 via ${other.address}`),
          ...other.pods6.map((pod) => `route add ${pod}/128 via ${other.address6}`),
        ]),
        ...pods.map((pod) => `addr add ${pod}/32 dev lo`),
        ...pods6.map((pod) => `addr add ${pod}/128 dev lo`),
      ],
      name,
    );
  }
}
