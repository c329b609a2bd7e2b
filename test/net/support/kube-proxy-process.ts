import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostPort } from '../../controlplane/addresses.ts';
import { findPrograms } from '../../controlplane/binaries.ts';
import { Daemon } from '../../controlplane/daemon.ts';
import type { ProxyOptions, ProxyProcess } from './proxy-process.ts';
import { run } from './run.ts';

const READY_MS = 60_000;
const BOTH = ['IPv4', 'IPv6'];

export interface KubeProxyOptions extends ProxyOptions {
  /** @default nftables; iptables needs those programs on the PATH */
  mode?: 'nftables' | 'iptables';
  /** Where /healthz answers; another one beside an agent that has 10256. @default 10256 */
  healthPort?: number;
  /** Added to the configuration, over ours; see KubeProxyConfiguration v1alpha1. */
  settings?: Record<string, unknown>;
}

/** Real kube-proxy in a node's namespace, with the defaults of its own but for what namespaces forbid. */
export class KubeProxyProcess implements ProxyProcess {
  readonly #options: KubeProxyOptions;
  #daemon: Daemon | undefined;

  constructor(options: KubeProxyOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { dir, netns, nodeName, address, healthPort = 10_256 } = this.#options;
    const { 'kube-proxy': program } = await findPrograms('kube-proxy');
    const configFile = join(dir, `kube-proxy-${nodeName}.json`);
    await writeFile(configFile, JSON.stringify(configOf(this.#options)));
    this.#daemon = new Daemon({
      name: `kube-proxy on ${nodeName}`,
      command: 'ip',
      args: ['netns', 'exec', netns, program, '--config', configFile, '--v', '2'],
      logFile: join(dir, `kube-proxy-${nodeName}.log`),
    });
    const url = `http://${hostPort(address, healthPort)}/healthz`;
    await this.#daemon.untilReady(() => hasSynced(url, this.#families()), READY_MS);
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#daemon?.stop('SIGKILL');
  }

  async cleanUp(): Promise<void> {
    const { 'kube-proxy': program } = await findPrograms('kube-proxy');
    await run('ip', 'netns', 'exec', this.#options.netns, program, '--cleanup');
  }

  /** It leaves out a family that the node's kernel has switched off; pods have no addresses of that one then. */
  #families(): string[] {
    const { clusterCidrs } = this.#options;
    const has = (isIPv6: boolean) => clusterCidrs.some((cidr) => cidr.includes(':') === isIPv6);
    return clusterCidrs.length === 0 ? BOTH : BOTH.filter((family) => has(family === 'IPv6'));
  }

  /** Whether the process is there: kube-proxy ends by itself when its node's address changes. */
  get running(): boolean {
    return this.#daemon?.running ?? false;
  }
}

function configOf(options: KubeProxyOptions): Record<string, unknown> {
  const { kubeconfig, nodeName, mode = 'nftables', clusterCidrs, nodePortAddresses } = options;
  const syncing = { minSyncPeriod: '50ms' };
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    hostnameOverride: nodeName,
    mode,
    clusterCIDR: clusterCidrs.join(','),
    nodePortAddresses: nodePortAddresses === 'primary' ? ['primary'] : nodePortAddresses,
    healthzBindAddress: hostPort(
      options.address.includes(':') ? '::' : '0.0.0.0',
      options.healthPort ?? 10_256,
    ),
    metricsBindAddress: '127.0.0.1:10249',
    nftables: syncing,
    iptables: syncing,
    // The table's size is of the whole machine, which only its own network namespace may set.
    conntrack: { maxPerCore: 0, min: 0 },
    ...options.settings,
  };
}

/** Whether these families have been written: the page names a family only after its first sync. */
async function hasSynced(url: string, families: readonly string[]): Promise<boolean> {
  const health: unknown = await (await fetch(url)).json();
  if (typeof health !== 'object' || health === null || !('status' in health)) return false;
  const { status } = health;
  return typeof status === 'object' && status !== null && families.every((family) => family in status);
}
