import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Page } from '../../kube/serve-pages.ts';
import type { AuditFinding } from '../nftables/audit.ts';
import type { Commit } from '../nftables/committer.ts';
import { ProxyMetrics } from '../proxy-metrics/proxy-metrics.ts';

export interface Gauges {
  services: number;
  endpoints: number;
  elements: number;
  refused: number;
  conflicts: number;
  closedPorts: number;
  localConnections: number;
}

const GAUGES: readonly (readonly [key: keyof Gauges, name: string, help: string])[] = [
  ['services', 'services', 'Services that have rules.'],
  ['endpoints', 'endpoints', 'Addresses and ports behind them.'],
  ['elements', 'elements', 'Elements in the tables of the kernel.'],
  ['refused', 'refused', 'Services that are left out since the kernel refuses them or they are unusable.'],
  ['conflicts', 'conflicts', 'Addresses and ports that several Services claim.'],
  [
    'closedPorts',
    'closed_ports',
    'Places for health checks and local node ports that can not be listened at.',
  ],
  [
    'localConnections',
    'local_node_port_connections',
    'Open connections to node ports at the loopback address.',
  ],
];

/** The agent's metrics. No label takes its values from Services: the number of series is fixed. */
export class AgentMetrics {
  readonly registry = new Registry();
  /** Those under kube-proxy's names. */
  readonly proxy = new ProxyMetrics(this.registry);
  readonly #commits = new Histogram({
    name: 'fairlead_agent_transaction_duration_seconds',
    help: 'Time from beginning a transaction to the answer of the kernel.',
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    registers: [this.registry],
  });
  readonly #elements = new Counter({
    name: 'fairlead_agent_elements_changed_total',
    help: 'Elements added to and deleted from the tables of the kernel.',
    registers: [this.registry],
  });
  readonly #failures = new Counter({
    name: 'fairlead_agent_apply_failures_total',
    help: 'Times that nothing could be applied.',
    registers: [this.registry],
  });
  readonly #repairs = new Counter({
    name: 'fairlead_agent_repairs_total',
    help: 'Times that the kernel was found to differ from what was committed, by finding.',
    labelNames: ['finding'],
    registers: [this.registry],
  });
  readonly #overflow = new Counter({
    name: 'fairlead_agent_affinity_overflow_total',
    help: 'Connections with session affinity whose client was not remembered, since as many are as the kernel has room for.',
    registers: [this.registry],
  });
  readonly #localConnections = new Counter({
    name: 'fairlead_agent_local_node_port_connections_total',
    help: 'Connections to node ports at the loopback address that ended: closed, failed (nobody took them), refused (too many).',
    labelNames: ['ending'],
    registers: [this.registry],
  });

  constructor(gauges: () => Gauges) {
    collectDefaultMetrics({ register: this.registry });
    for (const [key, name, help] of GAUGES) {
      new Gauge({
        name: `fairlead_agent_${name}`,
        help,
        registers: [this.registry],
        collect() {
          this.set(gauges()[key]);
        },
      });
    }
  }

  committed({ tookMs, elements, extent }: Commit): void {
    this.#commits.observe(tookMs / 1000);
    this.#elements.inc(elements);
    this.proxy.committed(tookMs / 1000, extent !== 'change');
  }

  failed(): void {
    this.#failures.inc();
    this.proxy.syncFailed();
  }

  repaired(finding: AuditFinding): void {
    this.#repairs.inc({ finding });
  }

  overflowed(connections: number): void {
    this.#overflow.inc(connections);
  }

  localConnectionEnded(ending: string): void {
    this.#localConnections.inc({ ending });
  }

  async page(): Promise<Page> {
    return { status: 200, contentType: this.registry.contentType, body: await this.registry.metrics() };
  }
}
