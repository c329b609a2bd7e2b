import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { HaproxyConfig } from '../../../../crds/haproxy-provider.ts';
import type { LoadBalancer, LoadBalancerSpec } from '../../../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../../../crds/load-balancer-provider.ts';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../../crds/resources.ts';
import { askMaster, askWorker } from '../../../../edge/haproxy/master-socket.ts';
import { readInfo, readStat } from '../../../../edge/haproxy/read-state.ts';
import { applyObject } from '../../../../kube/apply.ts';
import type { KubeClient } from '../../../../kube/client.ts';
import { loadConnectionConfig } from '../../../../kube/config.ts';
import type { Lease } from '../../../../kube/objects.ts';
import { ENDPOINT_SLICES, LEASES, NODES } from '../../../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../../../controlplane/control-plane.ts';
import { installCrds } from '../../../controlplane/install-crds.ts';
import { writeKubeconfig } from '../../../controlplane/kubeconfig.ts';
import { eventually } from '../../../support/eventually.ts';
import { ApiRelay } from '../../robustness/support/api-relay.ts';
import { ipBatch, run } from '../../support/run.ts';
import { EdgeProcess } from './edge-process.ts';
import { Listener } from './listener.ts';
import { startServer, stopServer } from './traffic.ts';

export const PROVIDER = 'lab';
const HOST = '10.88.0.1';
const EDGE = '10.88.0.2';
const NODE_PORT = 30_080;
/** Longer than any test: what is cut when its time is over fails, and no request may. */
export const DRAIN_SECONDS = 120;
const CONFIG = fileURLToPath(new URL('../../../../config/', import.meta.url));

/**
 * An edge with a real HAProxy in a network namespace, and here its clients, the nodes' addresses with a server at each node
 * port, and a real API server behind a relay.
 */
export class EdgeLab {
  readonly netns: string;
  readonly plane: ControlPlane;
  readonly client: KubeClient;
  readonly relay: ApiRelay;
  readonly folder: string;
  readonly #kubeconfig: string;
  readonly #servers = new Map<string, Server>();
  edge: EdgeProcess;

  private constructor(parts: {
    netns: string;
    plane: ControlPlane;
    relay: ApiRelay;
    folder: string;
    kubeconfig: string;
  }) {
    this.netns = parts.netns;
    this.plane = parts.plane;
    this.client = parts.plane.adminClient();
    this.relay = parts.relay;
    this.folder = parts.folder;
    this.#kubeconfig = parts.kubeconfig;
    this.edge = this.#startEdge();
  }

  static async start(
    netns: string,
    haproxy: Partial<HaproxyConfig> = { interface: 'eth0' },
  ): Promise<EdgeLab> {
    await ipBatch([
      `link add ${netns} type bridge`,
      `addr add ${HOST}/24 dev ${netns}`,
      `link set ${netns} up`,
    ]);
    await addMachine(netns, netns, EDGE);
    // Where claimed addresses are, 192.0.2.0 and 192.0.3.0.
    await run('ip', 'route', 'add', '192.0.2.0/23', 'via', EDGE, 'dev', netns);
    const folder = await mkdtemp('/tmp/edge-');
    const plane = await startControlPlane({ address: HOST });
    await installCrds(plane.adminClient());
    const connection = await loadConnectionConfig({ kubeconfig: plane.kubeconfig });
    const relay = await ApiRelay.start(HOST, connection);
    const kubeconfig = await relayedKubeconfig(plane, relay, connection.ca ?? '');
    const provider: Omit<LoadBalancerProvider, 'spec'> & { spec: { haproxy: object; targets: object } } = {
      metadata: { name: PROVIDER },
      spec: {
        haproxy: { healthCheck: { intervalSeconds: 1 }, ...haproxy },
        targets: { drainSeconds: DRAIN_SECONDS },
      },
    };
    await plane.adminClient().request('POST', '/apis/fairlead.dev/v1alpha1/loadbalancerproviders', {
      body: { apiVersion: 'fairlead.dev/v1alpha1', kind: LOAD_BALANCER_PROVIDERS.kind, ...provider },
    });
    return new EdgeLab({ netns, plane, relay, folder, kubeconfig });
  }

  async stop(): Promise<void> {
    await this.edge.end('SIGKILL');
    await this.killHaproxy().catch(() => {});
    for (const server of this.#servers.values()) await stopServer(server);
    await this.relay.stop();
    await this.plane.stop();
    await run('ip', 'netns', 'del', this.netns);
    await run('ip', 'link', 'del', this.netns).catch(() => {});
    await rm(this.folder, { recursive: true });
  }

  /**
   * A second machine with an edge of its own, and from now on claimed addresses are looked for on the network itself: on the
   * machine that says that it has them.
   */
  async startSecond(): Promise<SecondEdge> {
    const netns = `${this.netns}-2`;
    await addMachine(netns, this.netns, '10.88.0.3');
    await run('ip', 'route', 'replace', '192.0.2.0/23', 'dev', this.netns);
    const folder = await mkdtemp('/tmp/edge-');
    return { netns, folder, edge: this.#start(netns, 'edge-2', folder) };
  }

  startEdgeAgain(): void {
    this.edge = this.#startEdge();
  }

  #startEdge(): EdgeProcess {
    return this.#start(this.netns, 'edge-1', this.folder);
  }

  #start(netns: string, name: string, folder: string): EdgeProcess {
    return new EdgeProcess(netns, [
      ...['--provider', PROVIDER, '--name', name, '--folder', folder],
      ...['--kubeconfig', this.#kubeconfig, '--log-level', 'debug'],
    ]);
  }

  /** A Node with a server at each of these ports. */
  async addNode(host: number, ports: readonly number[] = [NODE_PORT]): Promise<string> {
    const name = `node-${host}`;
    const address = `10.88.1.${host}`;
    await run('ip', 'address', 'replace', `${address}/32`, 'dev', 'lo');
    for (const port of ports) {
      if (!this.#servers.has(`${address}:${port}`)) {
        this.#servers.set(`${address}:${port}`, await startServer(address, port));
      }
    }
    await this.client.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
    await this.client.request('PATCH', `/api/v1/nodes/${name}/status`, {
      contentType: 'application/merge-patch+json',
      body: { status: { addresses: [{ type: 'InternalIP', address }] } },
    });
    return address;
  }

  async deleteNode(host: number): Promise<void> {
    await this.client.delete(NODES, undefined, `node-${host}`);
  }

  /** A LoadBalancer as the operator writes it. */
  async addService(
    name: string,
    more: Partial<LoadBalancerSpec> & { address: string },
  ): Promise<LoadBalancer> {
    const { address, ...spec } = more;
    return await this.client.create(LOAD_BALANCERS, {
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: LOAD_BALANCERS.kind,
      metadata: {
        name: `${name}.${PROVIDER}`,
        namespace: 'default',
        labels: { 'fairlead.dev/provider': PROVIDER },
      },
      spec: {
        service: { name, uid: `uid-${name}` },
        provider: { name: PROVIDER, type: 'haproxy' },
        scheme: 'Public',
        addresses: [{ address, family: 'IPv4', pool: 'pool' }],
        frontends: [{ protocol: 'TCP', port: 80, nodePort: NODE_PORT }],
        targets: { mode: 'NodePort', drainSeconds: DRAIN_SECONDS },
        externalTrafficPolicy: 'Cluster',
        ...spec,
      },
    });
  }

  async patchService(name: string, spec: object): Promise<LoadBalancer> {
    return await this.client.patch(
      LOAD_BALANCERS,
      'default',
      `${name}.${PROVIDER}`,
      { spec },
      { contentType: 'merge' },
    );
  }

  async deleteService(name: string): Promise<void> {
    await this.client.delete(LOAD_BALANCERS, 'default', `${name}.${PROVIDER}`);
  }

  async patchProvider(haproxy: object): Promise<void> {
    const options = { contentType: 'merge' } as const;
    await this.client.patch(LOAD_BALANCER_PROVIDERS, undefined, PROVIDER, { spec: { haproxy } }, options);
  }

  /** Endpoints of a Service of mode Pod, by address: whether they are ready. */
  async setPods(service: string, pods: Readonly<Record<string, boolean>>): Promise<void> {
    const slice = {
      metadata: {
        name: `${service}-1`,
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': service },
      },
      addressType: 'IPv4' as const,
      ports: [{ name: 'http', protocol: 'TCP' as const, port: NODE_PORT }],
      endpoints: Object.entries(pods).map(([address, ready]) => ({
        addresses: [address],
        conditions: { ready },
      })),
    };
    await applyObject(this.client, ENDPOINT_SLICES, slice, { fieldManager: 'test' });
  }

  /** Ready endpoints of a Service, by node: how many it has. */
  async countPods(service: string, pods: Readonly<Record<string, number>>): Promise<void> {
    const endpoints = Object.entries(pods).flatMap(([nodeName, count], index) =>
      Array.from({ length: count }, (_, pod) => ({
        addresses: [`10.244.${index}.${pod + 1}`],
        conditions: { ready: true },
        nodeName,
      })),
    );
    const slice = {
      metadata: {
        name: `${service}-counted`,
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': service },
      },
      addressType: 'IPv4' as const,
      ports: [{ name: 'http', protocol: 'TCP' as const, port: 8080 }],
      endpoints,
    };
    await applyObject(this.client, ENDPOINT_SLICES, slice, { fieldManager: 'test' });
  }

  async labelNode(host: number, labels: Readonly<Record<string, string | null>>): Promise<void> {
    await this.client.patch(
      NODES,
      undefined,
      `node-${host}`,
      { metadata: { labels } },
      { contentType: 'merge' },
    );
  }

  /** Something else on the edge's machine that listens there. */
  async listen(address: string, port: number): Promise<Listener> {
    return await Listener.start(this.netns, address, port);
  }

  /** What an edge says of a Service. */
  async reportOf(name: string, edge = 'edge-1') {
    const { status } = await this.client.get(LOAD_BALANCERS, 'default', `${name}.${PROVIDER}`);
    const report = status?.edges?.find((each) => each.name === edge);
    if (report === undefined) throw new Error(`the edge says nothing of ${name}`);
    return report;
  }

  /** The same of all Services, by their names. */
  async reports() {
    const { items } = await this.client.list(LOAD_BALANCERS, { namespace: 'default' });
    return new Map(
      items.map(({ spec, status }) => [
        spec.service.name,
        status?.edges?.find((each) => each.name === 'edge-1'),
      ]),
    );
  }

  /** By which the edge says that it is there. */
  async lease(): Promise<Lease> {
    return await this.client.get(LEASES, 'fairlead-system', `fairlead-edge-${PROVIDER}.edge-1`);
  }

  /** Waits until this many targets are healthy, and all that there ought to be. */
  async healthyTargets(name: string, count: number, edge = 'edge-1'): Promise<void> {
    await eventually(async () => {
      const report = await this.reportOf(name, edge);
      const { serving, targets } = report;
      if (serving && targets?.healthy === count && targets.desired === count) return;
      const said = this.edge.lines.filter(({ level }) => level !== 'debug').slice(-5);
      throw new Error(`${name}: ${JSON.stringify(report)}; the edge said ${JSON.stringify(said)}`);
    });
  }

  /** As somebody does by hand; says what HAProxy answers. */
  async tellWorker(command: string): Promise<string> {
    return await eventually(() => askWorker(this.#socket, command));
  }

  /** As somebody does by hand. */
  async takeOutReports(name: string): Promise<void> {
    const path = `/apis/fairlead.dev/v1alpha1/namespaces/default/loadbalancers/${name}.${PROVIDER}/status`;
    await this.client.request('PATCH', path, {
      contentType: 'application/merge-patch+json',
      body: { status: { edges: null } },
    });
  }

  /** How often the master took in a configuration since it began. */
  async reloads(): Promise<number> {
    // Nobody answers while it takes one in.
    return await eventually(async () => {
      const [, count] = /\bmaster\s+(\d+)/.exec(await askMaster(this.#socket, 'show proc')) ?? [];
      if (count === undefined) throw new Error('the master does not say how often it reloaded');
      return Number(count);
    });
  }

  async workerPid(): Promise<number> {
    const pid = readInfo(await askWorker(this.#socket, 'show info'))?.pid;
    if (pid === undefined) throw new Error('no worker answers');
    return pid;
  }

  /** What HAProxy listens for, by the names of its sections. */
  async proxies(): Promise<string[]> {
    return [...readStat(await this.tellWorker('show stat -1 7 -1')).keys()];
  }

  /** Processes of HAProxy that serve this folder and are no worker of another. */
  async masters(): Promise<number[]> {
    const found: { pid: number; parent: number }[] = [];
    for (const name of await readdir('/proc')) {
      const [command, stat] = await Promise.all([
        readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => ''),
        readFile(`/proc/${name}/stat`, 'utf8').catch(() => ''),
      ]);
      if (!command.includes('haproxy\0') || !command.includes(`${this.folder}/`)) continue;
      const [, parent = ''] = /^\d+ \(.*\) \S (\d+)/.exec(stat) ?? [];
      found.push({ pid: Number(name), parent: Number(parent) });
    }
    const pids = new Set(found.map(({ pid }) => pid));
    return found.filter(({ parent }) => !pids.has(parent)).map(({ pid }) => pid);
  }

  /** One of HAProxy's two processes, without the other; nothing when it is gone already. */
  async killProcess(which: 'worker' | 'master'): Promise<void> {
    const pid = await (which === 'worker' ? this.workerPid() : this.#masterPid()).catch(() => undefined);
    if (pid !== undefined) endProcess(pid);
  }

  async #masterPid(): Promise<number> {
    return Number((await readFile(`${this.folder}/haproxy.pid`, 'utf8')).trim());
  }

  async killHaproxy(): Promise<void> {
    const worker = await this.workerPid().catch(() => undefined);
    endProcess(await this.#masterPid());
    // It ends by itself, too, once its master is gone.
    if (worker !== undefined) endProcess(worker);
  }

  get #socket(): string {
    return `${this.folder}/master.sock`;
  }
}

/** What `EdgeLab.startSecond` made; whoever asked for it ends it. */
export interface SecondEdge {
  netns: string;
  folder: string;
  edge: EdgeProcess;
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}

/** A network namespace with a link to the bridge. */
async function addMachine(netns: string, bridge: string, address: string): Promise<void> {
  await ipBatch([
    `netns add ${netns}`,
    `link add ${netns}-p type veth peer name eth0 netns ${netns}`,
    `link set ${netns}-p master ${bridge} up`,
  ]);
  const lines = ['link set lo up', `addr add ${address}/24 dev eth0`, 'link set eth0 up'];
  await ipBatch([...lines, `route add default via ${HOST}`], netns);
}

/** With the rights that an edge is given. */
async function relayedKubeconfig(plane: ControlPlane, relay: ApiRelay, ca: string): Promise<string> {
  await plane.kubectl(['apply', '-k', `${CONFIG}namespace`]);
  await plane.kubectl(['apply', '-k', `${CONFIG}rbac`]);
  const own = await plane.serviceAccountKubeconfig('fairlead-system', 'fairlead-edge');
  const { token } = await loadConnectionConfig({ kubeconfig: own });
  const tokenFile = `${plane.dir}/edge.token`;
  await writeFile(tokenFile, (await token?.()) ?? '', { mode: 0o600 });
  return writeKubeconfig(`${plane.dir}/edge.kubeconfig`, { server: relay.url, ca, user: { tokenFile } });
}
