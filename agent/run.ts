import { KubeClient } from '../kube/client.ts';
import { loadConnectionConfig } from '../kube/config.ts';
import { EventRecorder } from '../kube/events.ts';
import type { Logger } from '../kube/log.ts';
import { ownVersion } from '../kube/own-version.ts';
import type { Announcer } from './announce/announcer.ts';
import { announceAddresses } from './announce-addresses.ts';
import type { AgentConfig } from './config.ts';
import { Forwarding } from './forwarding.ts';
import { type AgentInformers, createInformers, listEverything } from './informers.ts';
import { LocalAddresses } from './local-addresses.ts';
import { Observers } from './observers.ts';
import { ServiceEvents } from './service-events.ts';
import { StatusReporter } from './status/report-status.ts';
import { type SysctlProblem, tuneConntrack } from './sysctls/set-sysctls.ts';
import { type HealthFacts, isEligible, isProxyHealthy } from './web/health-pages.ts';
import { AgentMetrics } from './web/metrics.ts';
import { serveWeb } from './web/serve-web.ts';

export interface RunningAgent {
  /** Ends everything but the forwarding: rules stay. */
  stop(): Promise<void>;
}

/** Runs an agent. Nothing is written to the kernel before every list is in. Resolves once all is programmed. */
export async function runAgent(config: AgentConfig, log: Logger): Promise<RunningAgent> {
  const agent = new Agent(config, log, await connect(config));
  await agent.start();
  return agent;
}

async function connect({ kubeconfig }: AgentConfig): Promise<KubeClient> {
  const connection = await loadConnectionConfig(kubeconfig === undefined ? {} : { kubeconfig });
  return new KubeClient(connection, { userAgent: 'fairlead-agent', connections: 4 });
}

class Agent implements RunningAgent {
  readonly #config: AgentConfig;
  readonly #log: Logger;
  readonly #client: KubeClient;
  readonly #informers: AgentInformers;
  readonly #events: EventRecorder;
  readonly #serviceEvents: ServiceEvents;
  readonly #metrics: AgentMetrics;
  readonly #addresses: LocalAddresses;
  readonly #observers: Observers;
  readonly #forwarding: Forwarding;
  readonly #status: StatusReporter;
  #announcer: Announcer | undefined;
  #closeWeb: () => Promise<void> = async () => {};
  #failure: string | null = null;
  #overflow = 0;
  #unstaged: string | null = null;
  #unsetSysctls: readonly SysctlProblem[] = [];

  constructor(config: AgentConfig, log: Logger, client: KubeClient) {
    const { nodeName } = config;
    this.#config = config;
    this.#log = log;
    this.#client = client;
    this.#events = new EventRecorder({ client, component: 'fairlead.dev/agent', instance: nodeName, log });
    this.#informers = createInformers(client, nodeName, log);
    this.#serviceEvents = new ServiceEvents(this.#events, this.#informers.services.store, nodeName);
    this.#metrics = new AgentMetrics(() => ({
      ...this.#forwarding.counts,
      refused: this.#forwarding.leftOut().size,
      conflicts: this.#forwarding.conflicts().length,
      closedPorts: this.#observers.problems().length,
      localConnections: this.#observers.localConnections,
    }));
    this.#addresses = new LocalAddresses(log);
    this.#observers = new Observers({
      config,
      informers: this.#informers,
      localAddresses: this.#addresses,
      metrics: this.#metrics,
      events: this.#serviceEvents,
      proxyHealthy: () => isProxyHealthy(this.#health()),
      context: () => this.#forwarding.context,
      nodePortAddresses: () => this.#forwarding.nodePortAddresses,
      conflicts: () => this.#forwarding.conflicts(),
      notAllowed: () => this.#forwarding.notAllowed,
      onChange: () => this.#status.touch(),
      log,
    });
    this.#forwarding = this.#createForwarding();
    const node = () => this.#node();
    this.#status = new StatusReporter({ client, nodeName, node, facts: () => this.#facts(), log });
  }

  async start(): Promise<void> {
    const startedAt = performance.now();
    const sinceStart = () => Math.round(performance.now() - startedAt);
    this.#closeWeb = await serveWeb({
      config: this.#config,
      health: () => this.#health(),
      metrics: this.#metrics,
      log: this.#log,
    });
    await Promise.all([listEverything(this.#informers, this.#client, this.#log), this.#addresses.start()]);
    const listedMs = sinceStart();
    await this.#forwarding.start();
    // Not before: on a node that tracked no connections yet, our rules are what loads the kernel's module.
    this.#unsetSysctls = await tuneConntrack(this.#config.conntrack, this.#log);
    // What nft would not take is tried again, and told in the status; it's said here too that not everything is there.
    this.#log.info(this.#forwarding.isProgrammed ? 'Programmed' : 'NotProgrammedYet', {
      listedMs,
      programmedMs: sinceStart(),
      ...this.#forwarding.counts,
    });
    this.#announcer = await announceAddresses({
      config: this.#config,
      client: this.#client,
      informers: this.#informers,
      onChange: (announcer) => {
        this.#forwarding.setAnnounced(announcer.announced());
        this.#status.touch();
      },
      log: this.#log,
    });
    this.#status.touch();
  }

  async stop(): Promise<void> {
    await this.#announcer?.stop();
    await this.#status.stop();
    await Promise.all(Object.values(this.#informers).map((informer) => informer.stop()));
    await this.#addresses.stop();
    await this.#forwarding.stop();
    await this.#observers.stop();
    await this.#events.stop();
    await this.#closeWeb();
    await this.#client.close();
  }

  #createForwarding(): Forwarding {
    const { services, slices, loadBalancers, nodes, serviceCidrs } = this.#informers;
    return new Forwarding({
      ...this.#config,
      localAddresses: this.#addresses,
      stores: {
        services: services.store,
        slices: slices.store,
        loadBalancers: loadBalancers.store,
        nodes: nodes.store,
        serviceCidrs: serviceCidrs.store,
      },
      auditMs: this.#config.auditSeconds * 1000,
      log: this.#log,
      onCommit: (commit) => {
        this.#failure = null;
        this.#metrics.committed(commit);
        this.#log.debug('Committed', commit);
      },
      onUnusable: (key, error) => {
        this.#serviceEvents.refused(key, error);
        this.#status.touch();
      },
      onRefused: (key, error) => {
        this.#serviceEvents.refused(key, error);
        this.#metrics.proxy.syncFailed();
        this.#status.touch();
      },
      onChainsBusy: () => this.#metrics.proxy.cleanupFailed(),
      onFailure: (error) => {
        this.#failure = error instanceof Error ? error.message : String(error);
        this.#metrics.failed();
        this.#status.touch();
      },
      onFinding: (finding) => this.#metrics.repaired(finding),
      onOverflow: (connections) => this.#noteOverflow(connections),
      onStaged: (problem) => this.#noteStaging(problem),
      observers: this.#observers.all,
    });
  }

  #health(): HealthFacts {
    return {
      programmed: this.#forwarding.isProgrammed,
      waitingMs: this.#forwarding.waitingMs,
      eligible: isEligible(this.#node()),
      lastUpdated: this.#observers.lastUpdated,
    };
  }

  #noteOverflow(connections: number): void {
    this.#metrics.overflowed(connections);
    const isNews = this.#overflow > 0 !== connections > 0;
    this.#overflow = connections;
    if (isNews) this.#status.touch();
  }

  #noteStaging(problem: string | null): void {
    const isNews = (this.#unstaged === null) !== (problem === null);
    this.#unstaged = problem;
    if (!isNews) return;
    if (problem !== null) this.#log.warn('InputNotStaged', { problem });
    this.#status.touch();
  }

  #node() {
    return this.#informers.nodes.store.get(this.#config.nodeName);
  }

  #facts() {
    return {
      version: ownVersion(),
      mode: this.#config.serve,
      generation: this.#forwarding.generation,
      ...this.#forwarding.counts,
      announced: this.#announcer?.announced() ?? [],
      unowned: this.#announcer?.problems() ?? [],
      programmed: this.#forwarding.isProgrammed,
      failure: this.#failure,
      leftOut: this.#forwarding.leftOut(),
      conflicts: this.#forwarding.conflicts(),
      overflow: this.#overflow,
      unstaged: this.#unstaged,
      closedPorts: this.#observers.problems(),
      staleFlows: this.#observers.conntrackProblem,
      unsetSysctls: this.#unsetSysctls,
    };
  }
}
