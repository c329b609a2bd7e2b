import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CleanUp } from '../conntrack/conntrack-cleaner.ts';
import type { Family } from '../endpoints/canonical-address.ts';
import { FAMILIES } from '../nftables/kernel-model.ts';

export type TrafficPolicy = 'internal' | 'external';
export type HealthPage = 'healthz' | 'livez';

export interface MetricSources {
  /** Changes that the kernel doesn't have yet. */
  pending: () => { services: number; endpoints: number };
  /** Ports whose endpoints are all on other nodes. */
  noLocalEndpoints: (policy: TrafficPolicy, family: Family) => number;
}

/** As Kubernetes calls families. */
export const IP_FAMILY: Readonly<Record<Family, 'IPv4' | 'IPv6'>> = { ip: 'IPv4', ip6: 'IPv6' };

/** 1 ms to 16 s, doubling. */
const SYNC_BUCKETS = Array.from({ length: 15 }, (_, power) => 0.001 * 2 ** power);
/** Nothing (as kube-proxy has it), quarters of a second, seconds up to a minute, then ever more coarsely up to five. */
const PROGRAMMING_BUCKETS = [
  0,
  0.25,
  0.5,
  ...Array.from({ length: 59 }, (_, index) => 1 + index),
  ...Array.from({ length: 12 }, (_, index) => 60 + 5 * index),
  ...Array.from({ length: 7 }, (_, index) => 120 + 30 * index),
];

/**
 * The metrics of kube-proxy 1.36 in nftables mode, by its names, labels and units (`pkg/proxy/metrics/metrics.go`), so that
 * dashboards and alerts carry over. One transaction writes both families: what is told of a transaction is told of both.
 */
export class ProxyMetrics {
  readonly #programming: Histogram<'ip_family'>;
  readonly #sync: Histogram<'ip_family'>;
  readonly #fullSync: Histogram<'ip_family'>;
  readonly #partialSync: Histogram<'ip_family'>;
  readonly #lastSync: Gauge<'ip_family'>;
  readonly #lastQueued: Gauge<'ip_family'>;
  readonly #syncFailures: Counter<'ip_family'>;
  readonly #cleanupFailures: Counter<'ip_family'>;
  readonly #conntrackSync: Histogram<'ip_family'>;
  readonly #conntrackDeleted: Counter<'ip_family'>;
  readonly #answers: Readonly<Record<HealthPage, Counter<'code'>>>;
  readonly #endpointChanges: Counter;
  readonly #serviceChanges: Counter;

  #sources: MetricSources = {
    pending: () => ({ services: 0, endpoints: 0 }),
    noLocalEndpoints: () => 0,
  };

  constructor(registry: Registry) {
    const registers = [registry];
    const byFamily = { labelNames: ['ip_family' as const], registers };
    const sync = (kind: string, help: string) =>
      new Histogram({ name: `kubeproxy_${kind}_duration_seconds`, help, buckets: SYNC_BUCKETS, ...byFamily });
    this.#programming = new Histogram({
      name: 'kubeproxy_network_programming_duration_seconds',
      help: 'Time from the change of a Service or Pod until the kernel forwards accordingly.',
      buckets: PROGRAMMING_BUCKETS,
      ...byFamily,
    });
    this.#sync = sync('sync_proxy_rules', 'Time of a transaction.');
    this.#fullSync = sync('sync_full_proxy_rules', 'Time of a transaction that wrote all rules.');
    this.#partialSync = sync('sync_partial_proxy_rules', 'Time of a transaction of what changed.');
    this.#lastSync = new Gauge({
      name: 'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
      help: 'When the kernel last had everything.',
      ...byFamily,
    });
    this.#lastQueued = new Gauge({
      name: 'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds',
      help: 'When a change last came. Much later than the last sync: something hangs.',
      ...byFamily,
    });
    const sources = () => this.#sources;
    new Gauge({
      name: 'kubeproxy_sync_proxy_rules_no_local_endpoints_total',
      help: 'Ports of Services with a Local traffic policy whose endpoints are all on other nodes.',
      labelNames: ['traffic_policy', 'ip_family'],
      registers,
      collect() {
        for (const policy of ['internal', 'external'] as const) {
          for (const family of FAMILIES) {
            const labels = { traffic_policy: policy, ip_family: IP_FAMILY[family] };
            this.set(labels, sources().noLocalEndpoints(policy, family));
          }
        }
      },
    });
    this.#syncFailures = new Counter({
      name: 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total',
      help: 'Transactions that failed.',
      ...byFamily,
    });
    this.#cleanupFailures = new Counter({
      name: 'kubeproxy_sync_proxy_rules_nftables_cleanup_failures_total',
      help: 'Times that unused chains could not be deleted.',
      ...byFamily,
    });
    this.#conntrackSync = sync(
      'conntrack_reconciler_sync',
      'Time of looking for stale flows and deleting them.',
    );
    this.#conntrackDeleted = new Counter({
      name: 'kubeproxy_conntrack_reconciler_deleted_entries_total',
      help: 'Stale flows deleted from connection tracking.',
      ...byFamily,
    });
    const answers = (page: HealthPage) =>
      new Counter({
        name: `kubeproxy_proxy_${page}_total`,
        help: `Answers of /${page} by HTTP status.`,
        labelNames: ['code'],
        registers,
      });
    this.#answers = { healthz: answers('healthz'), livez: answers('livez') };
    this.#endpointChanges = new Counter({
      name: 'kubeproxy_sync_proxy_rules_endpoint_changes_total',
      help: 'Changes of EndpointSlices.',
      registers,
    });
    this.#serviceChanges = new Counter({
      name: 'kubeproxy_sync_proxy_rules_service_changes_total',
      help: 'Changes of Services.',
      registers,
    });
    const pendingGauge = (kind: 'services' | 'endpoints', name: string, help: string) =>
      new Gauge({
        name: `kubeproxy_sync_proxy_rules_${name}_changes_pending`,
        help,
        registers,
        collect() {
          this.set(sources().pending()[kind]);
        },
      });
    pendingGauge('endpoints', 'endpoint', 'Changes of EndpointSlices that the kernel does not have yet.');
    pendingGauge('services', 'service', 'Changed Services that the kernel does not have as they are yet.');
  }

  /** Where values come from that are asked for when somebody reads them. */
  setSources(sources: Partial<MetricSources>): void {
    this.#sources = { ...this.#sources, ...sources };
  }

  serviceChanged(): void {
    this.#serviceChanges.inc();
    this.#queued();
  }

  endpointsChanged(): void {
    this.#endpointChanges.inc();
    this.#queued();
  }

  /** A change of endpoints is in the kernel, so long after its cause. */
  programmed(family: Family, seconds: number): void {
    this.#programming.observe({ ip_family: IP_FAMILY[family] }, seconds);
  }

  committed(seconds: number, wroteAllRules: boolean): void {
    for (const labels of BOTH) {
      this.#sync.observe(labels, seconds);
      (wroteAllRules ? this.#fullSync : this.#partialSync).observe(labels, seconds);
    }
  }

  /** The kernel has everything. */
  synced(): void {
    for (const labels of BOTH) this.#lastSync.setToCurrentTime(labels);
  }

  syncFailed(): void {
    for (const labels of BOTH) this.#syncFailures.inc(labels);
  }

  cleanupFailed(): void {
    for (const labels of BOTH) this.#cleanupFailures.inc(labels);
  }

  flowsCleanedUp({ family, tookMs, deleted }: CleanUp): void {
    const labels = { ip_family: IP_FAMILY[family] };
    this.#conntrackSync.observe(labels, tookMs / 1000);
    this.#conntrackDeleted.inc(labels, deleted);
  }

  answered(page: HealthPage, status: number): void {
    this.#answers[page].inc({ code: String(status) });
  }

  #queued(): void {
    for (const labels of BOTH) this.#lastQueued.setToCurrentTime(labels);
  }
}

const BOTH = FAMILIES.map((family) => ({ ip_family: IP_FAMILY[family] }));
