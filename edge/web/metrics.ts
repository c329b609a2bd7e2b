import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Page } from '../../kube/serve-pages.ts';
import type { EdgeState, KeeperCounts } from '../keeper.ts';

interface Source {
  state: EdgeState;
  counts: KeeperCounts & { certificates: number };
}

/** By load balancer, with its key as the label: what HAProxy counts, and how its targets are. */
const BY_SERVICE = {
  targets: 'Targets that a load balancer ought to have, over its ports.',
  targets_up: 'Those of them that answer health checks.',
  targets_draining: 'Targets that get no new connections, and have open ones.',
  connections: 'Open connections of clients.',
  connections_accepted: 'Connections of clients since this worker of HAProxy began.',
  bytes_in: 'Bytes from clients since this worker of HAProxy began.',
  bytes_out: 'Bytes to clients since this worker of HAProxy began.',
} as const;

type ServiceGauge = keyof typeof BY_SERVICE;

const SERVICE_GAUGES = [
  'targets',
  'targets_up',
  'targets_draining',
  'connections',
  'connections_accepted',
  'bytes_in',
  'bytes_out',
] as const satisfies readonly ServiceGauge[];

/** The edge's metrics, read from its keeper when they are asked for. */
export class EdgeMetrics {
  readonly registry = new Registry();
  readonly #source: () => Source;
  readonly #expiry: Gauge<'load_balancer' | 'secret'>;
  readonly #byService: Map<ServiceGauge, Gauge<'load_balancer'>>;

  constructor(source: () => Source) {
    const { registry } = this;
    this.#source = source;
    collectDefaultMetrics({ register: registry });
    const count = (name: string, help: string, read: (source: Source) => number) =>
      new Counter({
        name: `fairlead_edge_${name}_total`,
        help,
        registers: [registry],
        collect() {
          this.reset();
          this.inc(read(source()));
        },
      });
    const gauge = (name: string, help: string, read: (source: Source) => number) =>
      new Gauge({
        name: `fairlead_edge_${name}`,
        help,
        registers: [registry],
        collect() {
          this.set(read(source()));
        },
      });
    count('reloads', 'Reloads of HAProxy that were carried out.', ({ counts }) => counts.reloads);
    count(
      'failed_reloads',
      'Reloads that HAProxy did not come up from.',
      ({ counts }) => counts.failedReloads,
    );
    count(
      'runtime_commands',
      'Commands that changed targets without a reload.',
      ({ counts }) => counts.commands,
    );
    count(
      'certificates_replaced',
      'Certificates that took the place of others without a reload.',
      ({ counts }) => counts.certificates,
    );
    gauge('haproxy_up', '1 while HAProxy answers.', ({ state }) => (state.worker === undefined ? 0 : 1));
    gauge(
      'old_workers',
      'Processes that reloads left behind, with the connections that they had.',
      ({ state }) => state.oldWorkers,
    );
    gauge('services', 'Load balancers that HAProxy was given.', ({ state }) => state.loaded.size);
    gauge(
      'refused',
      'Load balancers that are not served as they are wanted.',
      ({ state }) => state.faults.size,
    );
    gauge('draining', 'Targets that leave and have connections.', ({ state }) => state.draining);
    this.#expiry = new Gauge({
      name: 'fairlead_edge_certificate_expiry_timestamp_seconds',
      help: 'When a certificate that is served expires, in seconds since 1970.',
      labelNames: ['load_balancer', 'secret'],
      registers: [registry],
    });
    this.#byService = new Map(
      SERVICE_GAUGES.map((name) => [
        name,
        new Gauge({
          name: `fairlead_edge_${name}`,
          help: BY_SERVICE[name],
          labelNames: ['load_balancer'],
          registers: [registry],
        }),
      ]),
    );
  }

  async page(): Promise<Page> {
    this.#setByService();
    return { status: 200, contentType: this.registry.contentType, body: await this.registry.metrics() };
  }

  /** Together, when they are asked for: all are read from the same. */
  #setByService(): void {
    this.#expiry.reset();
    for (const [key, { served }] of this.#source().state.certificates) {
      for (const { notAfter, secretName } of served) {
        this.#expiry.set({ load_balancer: key, secret: secretName }, notAfter.getTime() / 1000);
      }
    }
    const all = numbersByService(this.#source().state);
    for (const [name, gauge] of this.#byService) {
      gauge.reset();
      for (const [key, numbers] of all) gauge.set({ load_balancer: key }, numbers[name]);
    }
  }
}

function numbersByService({ proxies, services }: EdgeState): Map<string, Record<ServiceGauge, number>> {
  const all = new Map<string, Record<ServiceGauge, number>>();
  for (const [key, { frontends }] of services) {
    const sum = {
      targets: 0,
      targets_up: 0,
      targets_draining: 0,
      connections: 0,
      connections_accepted: 0,
      bytes_in: 0,
      bytes_out: 0,
    };
    for (const frontend of frontends) {
      const taking = frontend.servers.filter(({ weight }) => weight !== 0);
      const wanted = new Set(taking.map(({ name }) => name));
      const { numbers, servers = [] } = proxies.get(frontend.name) ?? {};
      sum.targets += wanted.size;
      sum.targets_draining += servers.filter(
        ({ name, sessions }) => sessions > 0 && !wanted.has(name),
      ).length;
      sum.targets_up += servers.filter(({ name, up }) => up && wanted.has(name)).length;
      sum.connections += numbers?.sessions ?? 0;
      sum.connections_accepted += numbers?.totalSessions ?? 0;
      sum.bytes_in += numbers?.bytesIn ?? 0;
      sum.bytes_out += numbers?.bytesOut ?? 0;
    }
    all.set(key, sum);
  }
  return all;
}
