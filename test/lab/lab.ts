import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeClient } from '../../kube/client.ts';
import type { Node } from '../../kube/objects.ts';
import { NODES, pathOf } from '../../kube/resources.ts';
import { type ControlPlane, startControlPlane } from '../controlplane/control-plane.ts';
import { installProduct } from './install-product.ts';
import { LabProcess } from './lab-process.ts';
import {
  CLIENT,
  CONTROL_PLANE,
  LAB_NODES,
  type LabNode,
  POD_CIDR,
  SERVICE_CIDR,
} from './network/addresses.ts';
import { applyNetwork, setNodeConnected } from './network/apply-network.ts';
import { inNamespace } from './network/namespaces.ts';
import { ClientProbe } from './probe/client-probe.ts';
import { type CommandOptions, type CommandResult, runCommand } from './run-command.ts';

export type LabStep = 'network' | 'controlPlane' | 'nodes' | 'product';

export interface LabOptions {
  /** Gets one log file for each process. */
  logDir: string;
  /** A step is done; `ms` since the start of the lab. */
  onStep?: (step: LabStep, ms: number) => void;
  /** false: the cluster alone, without CRDs, operator and agents. @default true */
  product?: boolean;
  /** More arguments of the operator. */
  operatorArgs?: readonly string[];
  /** More arguments of each agent. */
  agentArgs?: readonly string[];
}

/**
 * A lost node is noticed within 3.5 s (a cluster takes 40 to 50 s with the defaults): its kubelet renews its Lease twice
 * a second, and the controller manager looks four times a second for Leases older than 3 s.
 */
const CONTROLLER_ARGS = ['--node-monitor-period=250ms', '--node-monitor-grace-period=3s'];

const READY_MS = 30_000;
/** Everything that must not stay on the machine: a tmpfs of the lab's own mount namespace. */
export const RUN_DIR = '/run/fairlead-lab';

export const NAMESPACE = 'fairlead-system';

function programOf(path: string): string {
  return new URL(path, import.meta.url).pathname;
}

/**
 * A cluster with the product on it: a real control plane, three nodes and a client outside in network namespaces, a
 * kubelet a node, one operator and three agents, each as a process with its own credentials. To be started inside of
 * scripts/in-namespaces, where it leaves nothing behind whatever happens.
 */
export class Lab {
  readonly controlPlane: ControlPlane;
  readonly nodes: readonly LabNode[] = LAB_NODES;
  readonly logDir: string;
  /** Opens connections from the client outside. */
  readonly client: ClientProbe;
  readonly operator: LabProcess;
  /** By the node's name. */
  readonly agents = new Map<string, LabProcess>();
  /** By the node's name. */
  readonly kubelets = new Map<string, LabProcess>();

  private constructor(controlPlane: ControlPlane, options: LabOptions, operator: LabProcess) {
    this.controlPlane = controlPlane;
    this.logDir = options.logDir;
    this.operator = operator;
    this.client = new ClientProbe(CLIENT.name);
  }

  /** See `startLab`. */
  static async start(options: LabOptions): Promise<Lab> {
    const startedAt = performance.now();
    const done = (step: LabStep) => options.onStep?.(step, performance.now() - startedAt);
    // Processes start thrice as fast once their compiled code is kept, and there are a dozen and more.
    process.env.NODE_COMPILE_CACHE ??= join(RUN_DIR, 'compile-cache');
    // One for each process that has to end with this one.
    process.setMaxListeners(process.getMaxListeners() + 32);
    await mkdir(options.logDir, { recursive: true });
    await applyNetwork();
    done('network');
    const controlPlane = await startControlPlane({
      controllers: true,
      dir: join(RUN_DIR, 'control-plane'),
      address: CONTROL_PLANE.v4,
      extraSans: [CONTROL_PLANE.v6],
      serviceCidr: SERVICE_CIDR,
      controllerArgs: CONTROLLER_ARGS,
    });
    done('controlPlane');
    const operator = new LabProcess({
      name: 'operator',
      command: [
        process.execPath,
        programOf('../../operator/main.ts'),
        `--kubeconfig=${join(controlPlane.dir, `serviceaccount-${NAMESPACE}-fairlead-operator.kubeconfig`)}`,
        ...(options.operatorArgs ?? []),
      ],
      logFile: join(options.logDir, 'operator.log'),
    });
    const lab = new Lab(controlPlane, options, operator);
    await lab.#startNodes();
    done('nodes');
    if (options.product ?? true) {
      await lab.#startProduct(options);
      done('product');
    }
    return lab;
  }

  /** The admin's client of the API server. */
  get api(): KubeClient {
    return this.controlPlane.adminClient();
  }

  /** kubectl as the admin: its stdout, or an error with its stderr. */
  kubectl(args: readonly string[], input?: string): Promise<string> {
    return this.controlPlane.kubectl(args, input);
  }

  /** Runs a program in the network namespace of a node or of the client, to its end. */
  exec(namespace: string, command: readonly string[], options?: CommandOptions): Promise<CommandResult> {
    return runCommand(inNamespace(namespace, command), options);
  }

  /** Cuts a node off from both networks. Its processes run on and aren't told. */
  async nodeDown(name: string): Promise<void> {
    await setNodeConnected(name, false);
  }

  async nodeUp(name: string): Promise<void> {
    await setNodeConnected(name, true);
  }

  agent(node: string): LabProcess {
    return member(this.agents, node);
  }

  kubelet(node: string): LabProcess {
    return member(this.kubelets, node);
  }

  /** Ends everything that was started. What is left (namespaces, pods) goes with scripts/in-namespaces. */
  async stop(): Promise<void> {
    await this.client.stop();
    await Promise.all(
      [this.operator, ...this.agents.values(), ...this.kubelets.values()].map((process) => process.kill()),
    );
    await this.controlPlane.stop();
  }

  async #startNodes(): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node) => {
        const kubeconfig = await this.controlPlane.userKubeconfig(`system:node:${node.name}`, [
          'system:nodes',
        ]);
        const kubelet = new LabProcess({
          name: `kubelet of ${node.name}`,
          namespace: node.name,
          command: [
            process.execPath,
            programOf('kubelet/main.ts'),
            `--node=${node.number}`,
            `--kubeconfig=${kubeconfig}`,
            `--state-dir=${join(RUN_DIR, 'pods', node.name)}`,
            `--log-dir=${join(this.logDir, 'pods')}`,
          ],
          logFile: join(this.logDir, `kubelet-${node.name}.log`),
        });
        this.kubelets.set(node.name, kubelet);
        kubelet.start();
        await kubelet.untilReady(() => this.#isReady(node.name), READY_MS);
      }),
    );
  }

  async #isReady(node: string): Promise<boolean> {
    const { status, spec } = await this.api.get(NODES, undefined, node);
    const ready = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
    return ready === true && !spec?.taints?.some(({ key }) => key.startsWith('node.kubernetes.io/'));
  }

  async #startProduct(options: LabOptions): Promise<void> {
    await installProduct(this.controlPlane);
    await this.controlPlane.serviceAccountKubeconfig(NAMESPACE, 'fairlead-operator');
    this.operator.start();
    await Promise.all(this.nodes.map((node) => this.#startAgent(node, options.agentArgs ?? [])));
    await Promise.all([this.#untilProductReady(), this.client.start()]);
  }

  async #startAgent(node: LabNode, args: readonly string[]): Promise<void> {
    const { metadata } = await this.api.request<Node>('GET', pathOf(NODES, undefined, node.name));
    const kubeconfig = await this.controlPlane.serviceAccountKubeconfig(NAMESPACE, 'fairlead-agent', {
      node: { name: node.name, uid: metadata.uid ?? '' },
    });
    const agent = new LabProcess({
      name: `agent of ${node.name}`,
      namespace: node.name,
      command: [
        process.execPath,
        programOf('../../agent/main.ts'),
        'run',
        `--node-name=${node.name}`,
        `--kubeconfig=${kubeconfig}`,
        `--cluster-cidr=${POD_CIDR}`,
        '--serve=All',
        ...args,
      ],
      logFile: join(this.logDir, `agent-${node.name}.log`),
    });
    this.agents.set(node.name, agent);
    agent.start();
  }

  async #untilProductReady(): Promise<void> {
    await this.operator.untilReady(async () => isWell('http://127.0.0.1:8081/readyz'), READY_MS);
    for (const [node, agent] of this.agents) {
      const ask = ['curl', '--silent', '--fail', '--max-time', '1', 'http://127.0.0.1:10256/healthz'];
      await agent.untilReady(async () => (await this.exec(node, ask)).status === 0, READY_MS);
    }
  }
}

async function isWell(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
}

function member<T>(map: ReadonlyMap<string, T>, node: string): T {
  const found = map.get(node);
  if (found === undefined) throw new Error(`the lab has no node ${node}: ${[...map.keys()].join(', ')}`);
  return found;
}

/** Starts the lab; resolves once the product is ready on every node. Fails with the log of what didn't start. */
export function startLab(options: LabOptions): Promise<Lab> {
  return Lab.start(options);
}
