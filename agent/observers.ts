import type { Logger } from '../kube/log.ts';
import type { Node } from '../kube/objects.ts';
import type { AgentConfig } from './config.ts';
import { ConntrackCleaner } from './conntrack/conntrack-cleaner.ts';
import { createFlowTable } from './conntrack/flow-table.ts';
import { chooseListenAddresses } from './health/choose-listen-addresses.ts';
import { HealthCheckServers } from './health/health-check-servers.ts';
import type { AgentInformers } from './informers.ts';
import type { LocalAddressSource } from './local-addresses.ts';
import { LocalNodePorts } from './local-node-ports/local-node-ports.ts';
import type { Conflict } from './nftables/rule-book.ts';
import type { NodeContext } from './node-context.ts';
import { ChangeTracker } from './proxy-metrics/change-tracker.ts';
import { NoLocalEndpointsObserver } from './proxy-metrics/no-local-endpoints.ts';
import type { ServiceEvents } from './service-events.ts';
import type { ServiceObserver } from './service-observer.ts';
import { describeLostFrontends } from './status/describe-lost-frontends.ts';
import { describeNotAllowed } from './status/describe-not-allowed.ts';
import { TellOnce } from './status/tell-once.ts';
import type { AgentMetrics } from './web/metrics.ts';

export interface ObserverParts {
  config: AgentConfig;
  informers: AgentInformers;
  localAddresses: LocalAddressSource;
  metrics: AgentMetrics;
  events: ServiceEvents;
  proxyHealthy: () => boolean;
  context: () => NodeContext;
  /** Where node ports answer. */
  nodePortAddresses: () => readonly string[];
  conflicts: () => readonly Conflict[];
  /** Services with external addresses that they may not have. */
  notAllowed: () => ReadonlyMap<string, readonly string[]>;
  /** Something to report changed. */
  onChange: () => void;
  log: Logger;
}

/** Everybody who acts on Services beside the rules, on one node. Make it before the stores fill. */
export class Observers {
  readonly all: readonly ServiceObserver[];
  readonly #healthChecks: HealthCheckServers;
  readonly #localNodePorts: LocalNodePorts | undefined;
  readonly #changes: ChangeTracker;
  readonly #conntrack: ConntrackCleaner;
  readonly #unsubscribe: (() => void)[];
  #lastUpdated: string | null = null;

  constructor(parts: ObserverParts) {
    const { config, informers, metrics, events } = parts;
    const { nodeName } = config;
    const node = () => informers.nodes.store.get(nodeName);
    this.#healthChecks = new HealthCheckServers({
      ...parts,
      nodeName,
      addresses: () => listenAddresses(config, node(), parts.localAddresses.all),
      onFailure: (key, port, error) => events.healthCheckFailed(key, port, error),
    });
    this.#localNodePorts = config.localhostNodePorts ? createLocalNodePorts(parts) : undefined;
    this.#changes = new ChangeTracker(
      { services: informers.services.store, slices: informers.slices.store },
      metrics.proxy,
    );
    this.#conntrack = new ConntrackCleaner({
      ...parts,
      table: createFlowTable(),
      onCleanUp: (cleanUp) => metrics.proxy.flowsCleanedUp(cleanUp),
    });
    const noLocalEndpoints = new NoLocalEndpointsObserver(nodeName);
    metrics.proxy.setSources({
      pending: () => this.#changes.pending,
      noLocalEndpoints: (policy, family) => noLocalEndpoints.count(policy, family),
    });
    this.all = [
      {
        compiled: () => {},
        takenApplied: () => {
          this.#markUpdated();
          // Also without a transaction: of two that claim one address, the younger may come or go and change nothing.
          parts.onChange();
        },
        applied: () => {},
      },
      this.#changes,
      noLocalEndpoints,
      this.#healthChecks,
      this.#conntrack,
      ...(this.#localNodePorts === undefined ? [] : [this.#localNodePorts]),
      new TellOnce(
        () => describeLostFrontends(parts.conflicts()),
        (service, note) => events.frontendClaimed(service, note),
      ),
      new TellOnce(
        () => describeNotAllowed(parts.notAllowed()),
        (service, note) => events.externalIpNotAllowed(service, note),
      ),
    ];
    const refresh = () => this.#healthChecks.refresh();
    this.#unsubscribe = [informers.nodes.store.onChange(refresh), parts.localAddresses.onChange(refresh)];
  }

  /** RFC 3339, of the last time that the kernel had everything. */
  get lastUpdated(): string | null {
    return this.#lastUpdated;
  }

  /** Connections that come to node ports at the loopback address. */
  get localConnections(): number {
    return this.#localNodePorts?.open ?? 0;
  }

  /** Ports of Services that this process can't listen at, and why. */
  problems(): string[] {
    return [...this.#healthChecks.problems(), ...(this.#localNodePorts?.problems() ?? [])];
  }

  /** Why flows of connection tracking stay that should not; null: they don't. */
  get conntrackProblem(): string | null {
    return this.#conntrack.problem;
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#changes.stop();
    await Promise.all([this.#conntrack.stop(), this.#healthChecks.stop(), this.#localNodePorts?.stop()]);
  }

  #markUpdated(): void {
    this.#lastUpdated = new Date().toISOString();
  }
}

/** Undefined: the Node is gone, the machine isn't, so what it had it keeps. */
function listenAddresses(
  { nodePortAddresses }: AgentConfig,
  node: Node | undefined,
  local: readonly string[],
) {
  if (node === undefined && nodePortAddresses === 'primary') return undefined;
  return chooseListenAddresses(nodePortAddresses, node, local);
}

function createLocalNodePorts(parts: ObserverParts): LocalNodePorts {
  const { metrics } = parts;
  return new LocalNodePorts({
    ...parts,
    nodeAddress: (family) =>
      parts.nodePortAddresses().find((address) => address.includes(':') === (family === 'ip6')),
    onEnd: (ending) => metrics.localConnectionEnded(ending),
  });
}
