import { AgentProcess } from './agent-process.ts';
import type { ProxyOptions, ProxyProcess } from './proxy-process.ts';

const READY_MS = 60_000;

export interface FairleadOptions extends ProxyOptions {
  /** @default All */
  serve?: 'All' | 'Own';
  /** More flags of the agent. */
  flags?: readonly string[];
  /** More of its environment. */
  env?: NodeJS.ProcessEnv;
}

/** The agent in a node's namespace. Everybody may have external IPs, as with kube-proxy. */
export class FairleadProcess implements ProxyProcess {
  readonly #options: FairleadOptions;
  #agent: AgentProcess | undefined;

  constructor(options: FairleadOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { netns, nodeName, kubeconfig, clusterCidrs, nodePortAddresses, serve, flags, env } = this.#options;
    const { externalIps = '*=0.0.0.0/0,*=::/0', auditSeconds = 30 } = this.#options;
    this.#agent = new AgentProcess(
      netns,
      [
        '--serve',
        serve ?? 'All',
        '--node-name',
        nodeName,
        '--kubeconfig',
        kubeconfig,
        '--cluster-cidr',
        clusterCidrs.join(','),
        '--nodeport-addresses',
        nodePortAddresses === 'primary' ? 'primary' : nodePortAddresses.join(','),
        '--external-ips',
        externalIps,
        '--audit-seconds',
        String(auditSeconds),
        ...(flags ?? []),
      ],
      env,
    );
    await this.#agent.says('Programmed', READY_MS);
  }

  async stop(): Promise<void> {
    await this.#agent?.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#agent?.end('SIGKILL');
  }

  async cleanUp(): Promise<void> {
    const status = await new AgentProcess(this.#options.netns, ['cleanup']).end();
    if (status !== 0) throw new Error(`agent cleanup ended with status ${status}`);
  }
}
