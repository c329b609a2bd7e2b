import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MEMBER_SELECTOR } from '../../../../agent/announce/member-record.ts';
import type { LoadBalancer } from '../../../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../../../crds/resources.ts';
import type { Node } from '../../../../kube/objects.ts';
import { ENDPOINT_SLICES, LEASES, NODES } from '../../../../kube/resources.ts';
import { runOrThrow } from '../../../../kube/run-command.ts';
import { type ControlPlane, startControlPlane } from '../../../controlplane/control-plane.ts';
import { installCrds } from '../../../controlplane/install-crds.ts';
import { OwnerWatch } from './owner-watch.ts';

const PROCESS = fileURLToPath(new URL('announcer-process.ts', import.meta.url));
const CONFIG = fileURLToPath(new URL('../../../../config/', import.meta.url));
export const NODE_NAMES = ['node-1', 'node-2', 'node-3'] as const;

export interface LabNode {
  name: string;
  /** Of its interface to the outside. */
  mac: string;
  process: ChildProcess | undefined;
}

/** Milliseconds of the machine's monotonic clock, as the owner watch has them. */
export function machineNow(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/**
 * A real API server, three node namespaces on a node network and an outside network, and a client outside. Only inside
 * scripts/in-namespaces.
 */
export class AnnounceLab {
  readonly plane: ControlPlane;
  readonly nodes: ReadonlyMap<string, LabNode>;
  readonly #client: { index: number; mac: string };
  readonly #kubeconfig: string;
  readonly #watches: OwnerWatch[] = [];
  readonly #monitors: ChildProcess[] = [];

  private constructor(
    plane: ControlPlane,
    nodes: Map<string, LabNode>,
    client: { index: number; mac: string },
    kubeconfig: string,
  ) {
    this.plane = plane;
    this.nodes = nodes;
    this.#client = client;
    this.#kubeconfig = kubeconfig;
  }

  static async start(): Promise<AnnounceLab> {
    // Addresses of their own: one borrowed from a port would go on taking in what a node that is cut off sends.
    await ip('link', 'add', 'nodes', 'address', '02:00:00:00:89:01', 'type', 'bridge');
    await ip('link', 'add', 'outside', 'address', '02:00:00:00:98:01', 'type', 'bridge');
    await ip('addr', 'add', '10.89.0.1/24', 'dev', 'nodes');
    for (const bridge of ['nodes', 'outside']) await ip('link', 'set', bridge, 'up');
    const nodes = new Map<string, LabNode>();
    for (const [i, name] of NODE_NAMES.entries()) {
      await ip('netns', 'add', name);
      await inside(name, 'ip', 'link', 'set', 'lo', 'up');
      await plug(name, 'eth0', 'nodes', [`10.89.0.1${i + 1}/24`]);
      const mac = await plug(name, 'eth1', 'outside', [`198.18.0.1${i + 1}/24`, `fd00:198::1${i + 1}/64`]);
      nodes.set(name, { name, mac: mac.mac, process: undefined });
    }
    await ip('netns', 'add', 'client');
    const client = await plug('client', 'eth0', 'outside', ['198.18.0.100/24', 'fd00:198::100/64']);
    const plane = await startControlPlane({ address: '10.89.0.1' });
    await installCrds(plane.adminClient());
    await plane.kubectl(['apply', '-k', `${CONFIG}namespace`]);
    await plane.kubectl(['apply', '-k', `${CONFIG}rbac`]);
    const kubeconfig = await plane.serviceAccountKubeconfig('fairlead-system', 'fairlead-agent');
    for (const [i, name] of NODE_NAMES.entries()) await createNode(plane, name, `10.89.0.1${i + 1}`);
    return new AnnounceLab(plane, nodes, client, kubeconfig);
  }

  node(name: string): LabNode {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  nodeOf(mac: string): string {
    return [...this.nodes.values()].find((node) => node.mac === mac)?.name ?? mac;
  }

  startAgent(name: string, apiOutage: 'Keep' | 'Fence' = 'Keep'): void {
    const child = spawn(
      'ip',
      ['netns', 'exec', name, process.execPath, PROCESS, this.#kubeconfig, name, apiOutage],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const log = createWriteStream(this.#logFile(name), { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    this.node(name).process = child;
  }

  /** Sends a signal to a node's agent. `ip netns exec` becomes the agent by exec, so its process id is the agent's. */
  signalAgent(name: string, signal: NodeJS.Signals): void {
    this.node(name).process?.kill(signal);
  }

  /** Resolves once the agent's process is gone. */
  async agentGone(name: string): Promise<void> {
    const child = this.node(name).process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((resolve) => child.once('exit', resolve));
  }

  /** Cuts a node off the node network: no API server, no other members, no goodbye. */
  async cutOff(name: string): Promise<void> {
    await ip('link', 'set', `${name}-eth0`, 'nomaster');
  }

  async reconnect(name: string): Promise<void> {
    await ip('link', 'set', `${name}-eth0`, 'master', 'nodes');
  }

  /** Pulls and plugs the cable to the outside network. */
  async setOutsideLink(name: string, state: 'up' | 'down'): Promise<void> {
    await ip('link', 'set', `${name}-eth1`, state);
  }

  async createLoadBalancer(
    name: string,
    addresses: readonly string[],
    more: Partial<LoadBalancer['spec']> = {},
  ): Promise<void> {
    await this.plane.adminClient().create(LOAD_BALANCERS, {
      apiVersion: 'fairlead.dev/v1alpha1',
      kind: 'LoadBalancer',
      metadata: { name: `${name}.lab`, namespace: 'default' },
      spec: {
        service: { name, uid: '5e1f0000-0000-4000-8000-000000000001' },
        provider: { name: 'lab', type: 'announce' },
        scheme: 'Public',
        addresses: addresses.map((address) => ({
          address,
          family: address.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
          pool: 'lab',
        })),
        frontends: [{ protocol: 'TCP', port: 80 }],
        targets: { mode: 'NodePort', drainSeconds: 30 },
        externalTrafficPolicy: 'Cluster',
        ...more,
      },
    });
  }

  async deleteLoadBalancer(name: string): Promise<void> {
    await this.plane.adminClient().delete(LOAD_BALANCERS, 'default', `${name}.lab`);
  }

  /** Writes the one EndpointSlice of a Service: ready endpoints on these nodes. */
  async setEndpoints(service: string, nodes: readonly string[]): Promise<void> {
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: `${service}-1`,
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': service },
      },
      addressType: 'IPv4',
      endpoints: nodes.map((nodeName, i) => ({
        addresses: [`10.244.0.${i + 1}`],
        conditions: { ready: true },
        nodeName,
      })),
      ports: [{ name: '', port: 80, protocol: 'TCP' }],
    };
    await this.plane.adminClient().patch(ENDPOINT_SLICES, 'default', `${service}-1`, slice, {
      contentType: 'apply',
      fieldManager: 'lab',
      force: true,
    });
  }

  /** Asks for the addresses from the client each `intervalMs`; stopped with the lab. */
  watch(addresses: readonly string[], intervalMs = 50): OwnerWatch {
    const watch = new OwnerWatch({
      namespace: 'client',
      device: 'eth0',
      ...this.#client,
      ipv4: '198.18.0.100',
      ipv6: 'fd00:198::100',
      intervalMs,
      addresses,
    });
    this.#watches.push(watch);
    return watch;
  }

  /** Addresses on a node's outside interface, without its own. */
  async addressesOn(name: string): Promise<string[]> {
    const parsed: unknown = JSON.parse(await inside(name, 'ip', '-j', 'addr', 'show', 'dev', 'eth1'));
    const [link] = Array.isArray(parsed) ? parsed : [];
    const infos: { local: string; prefixlen: number }[] = link?.addr_info ?? [];
    return infos
      .filter((info) => info.prefixlen === (info.local.includes(':') ? 128 : 32))
      .map((info) => info.local);
  }

  /** Every change of the addresses on a node from now on, as `ip monitor` tells it. */
  watchAddressChanges(name: string): () => string[] {
    const child = spawn('ip', ['netns', 'exec', name, 'ip', '-o', 'monitor', 'address'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#monitors.push(child);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    return () => text.split('\n').filter((line) => line !== '');
  }

  /** Seconds that the kernel leaves those addresses. */
  async lifetimesOn(name: string): Promise<number[]> {
    const parsed: unknown = JSON.parse(await inside(name, 'ip', '-j', 'addr', 'show', 'dev', 'eth1'));
    const [link] = Array.isArray(parsed) ? parsed : [];
    const infos: { prefixlen: number; valid_life_time: number }[] = link?.addr_info ?? [];
    return infos
      .filter((info) => info.prefixlen === 32 || info.prefixlen === 128)
      .map((info) => info.valid_life_time);
  }

  /** Resolves once so many nodes are members, and have seen a renewal of each other. */
  async untilMembers(count: number): Promise<void> {
    const members = async () => {
      const { items } = await this.plane
        .adminClient()
        .list(LEASES, { namespace: 'fairlead-system', labelSelector: MEMBER_SELECTOR });
      return items.filter((lease) => Date.now() - Date.parse(lease.spec?.renewTime ?? '') < 3000).length;
    };
    await until(`${count} members`, async () => (await members()) === count, 30_000);
  }

  /** Sets labels of a Node; null takes one away. */
  async label(name: string, labels: Record<string, string | null>): Promise<void> {
    await this.plane
      .adminClient()
      .patch(NODES, undefined, name, { metadata: { labels } }, { contentType: 'merge' });
  }

  /** What an agent said last about its addresses. */
  async lastAnnounced(name: string): Promise<unknown> {
    const lines = (await readFile(this.#logFile(name), 'utf8'))
      .split('\n')
      .filter((line) => line.includes('"Announced"'));
    const { addresses, problems } = JSON.parse(lines.at(-1) ?? '{}');
    return { addresses, problems };
  }

  /** Every agent stops in order, and every load balancer goes. */
  async reset(): Promise<void> {
    for (const watch of this.#watches.splice(0)) watch.stop();
    for (const monitor of this.#monitors.splice(0)) monitor.kill();
    const { items } = await this.plane.adminClient().list(LOAD_BALANCERS);
    for (const item of items)
      await this.plane.adminClient().delete(LOAD_BALANCERS, 'default', item.metadata.name);
    for (const { name } of this.nodes.values()) {
      this.signalAgent(name, 'SIGCONT');
      this.signalAgent(name, 'SIGTERM');
      const killing = setTimeout(() => this.signalAgent(name, 'SIGKILL'), 5000);
      await this.agentGone(name);
      clearTimeout(killing);
    }
  }

  #logFile(name: string): string {
    return join(process.env.ANNOUNCE_LOGS ?? this.plane.dir, `${name}.log`);
  }

  async stop(): Promise<void> {
    for (const watch of this.#watches) watch.stop();
    for (const { name } of this.nodes.values()) this.signalAgent(name, 'SIGKILL');
    await this.plane.stop();
    for (const name of [...NODE_NAMES, 'client']) await ip('netns', 'delete', name);
    for (const bridge of ['nodes', 'outside']) await ip('link', 'delete', bridge);
  }
}

/** Polls until it holds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
}

async function createNode(plane: ControlPlane, name: string, address: string): Promise<void> {
  const node: Node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
  };
  await plane.adminClient().create(NODES, node);
  await plane
    .adminClient()
    .patch(
      NODES,
      undefined,
      name,
      { status: { addresses: [{ type: 'InternalIP', address }] } },
      { contentType: 'merge', subresource: 'status' },
    );
}

/** A virtual cable from a namespace to a bridge; returns its end in the namespace. */
async function plug(
  namespace: string,
  device: string,
  bridge: string,
  addresses: readonly string[],
): Promise<{ index: number; mac: string }> {
  const peer = `${namespace}-${device}`;
  await ip('link', 'add', peer, 'type', 'veth', 'peer', 'name', device, 'netns', namespace);
  await ip('link', 'set', peer, 'master', bridge, 'up');
  for (const address of addresses) {
    const nodad = address.includes(':') ? ['nodad'] : [];
    await inside(namespace, 'ip', 'addr', 'add', address, 'dev', device, ...nodad);
  }
  await inside(namespace, 'ip', 'link', 'set', device, 'up');
  const parsed: unknown = JSON.parse(await inside(namespace, 'ip', '-j', 'link', 'show', 'dev', device));
  const [link] = Array.isArray(parsed) ? parsed : [];
  return { index: link.ifindex, mac: link.address };
}

function ip(...args: string[]): Promise<string> {
  return runOrThrow('ip', args);
}

export function inside(namespace: string, ...command: string[]): Promise<string> {
  return runOrThrow('ip', ['netns', 'exec', namespace, ...command]);
}
