import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { KubeClient } from '../kube/client.ts';
import { loadConnectionConfig } from '../kube/config.ts';
import type { Logger } from '../kube/log.ts';
import { ownVersion } from '../kube/own-version.ts';
import { keyOf } from '../kube/resources.ts';
import { serve, type WebServer } from '../kube/serve-pages.ts';
import { buildModel } from './build-model.ts';
import type { EdgeConfig } from './config.ts';
import { needsEndpoints } from './find-servers.ts';
import { edgeFiles } from './haproxy/haproxy-process.ts';
import { createInformers, type EdgeInformers } from './informers.ts';
import { EdgeKeeper } from './keeper.ts';
import { buildReport } from './status/build-report.ts';
import { EdgeLease } from './status/edge-lease.ts';
import { EdgeStatus } from './status/report-status.ts';
import { secretsOf } from './tls/choose-certificates.ts';
import { EdgeCertificates } from './tls/edge-certificates.ts';
import { SecretWatches } from './tls/secret-watches.ts';
import { Keepalived, keepalivedFiles } from './vrrp/keepalived.ts';
import { EdgeMetrics } from './web/metrics.ts';

export interface RunningEdge {
  /** Ends everything but HAProxy. */
  stop(): Promise<void>;
}

/** Runs an edge. HAProxy is started with what it served last at once, and changed only when every list is in. */
export async function runEdge(config: EdgeConfig, log: Logger): Promise<RunningEdge> {
  mkdirSync(config.folder, { recursive: true, mode: 0o700 });
  const { kubeconfig } = config;
  const connection = await loadConnectionConfig(kubeconfig === undefined ? {} : { kubeconfig });
  const client = new KubeClient(connection, { userAgent: 'fairlead-edge', connections: 4 });
  const edge = new Edge(config, client, log);
  await edge.start();
  return edge;
}

class Edge implements RunningEdge {
  readonly #config: EdgeConfig;
  readonly #client: KubeClient;
  readonly #log: Logger;
  readonly #informers: EdgeInformers;
  readonly #secrets: SecretWatches;
  readonly #certificates: EdgeCertificates;
  readonly #keeper: EdgeKeeper;
  readonly #status: EdgeStatus;
  readonly #lease: EdgeLease;
  #slicesStarted = false;
  #listed = false;
  #isWantedKnown = false;
  #wasServing = false;
  #web: WebServer | undefined;

  constructor(config: EdgeConfig, client: KubeClient, log: Logger) {
    this.#config = config;
    this.#client = client;
    this.#log = log;
    this.#informers = createInformers(client, config.provider, log);
    this.#secrets = new SecretWatches({ client, log, onChange: () => this.#keeper.touch() });
    const { certificates, socket } = edgeFiles(config.folder);
    this.#certificates = new EdgeCertificates({ folder: certificates, haproxy: config.haproxy, socket, log });
    this.#keeper = new EdgeKeeper({
      name: config.name,
      keepalived: new Keepalived(config.keepalived, keepalivedFiles(config.folder), log),
      files: edgeFiles(config.folder),
      haproxy: config.haproxy,
      render: {
        user: config.user,
        tables: tablesSocket(config.folder),
        certificates: edgeFiles(config.folder).certificates,
      },
      onCertificates: (files) => this.#certificates.keepOnly(files),
      wanted: async () => {
        const wanted = await this.#wanted();
        this.#isWantedKnown = wanted !== undefined;
        return wanted;
      },
      onTurn: () => this.#afterTurn(),
      log,
    });
    const { name, namespace, provider } = config;
    this.#lease = new EdgeLease({ client, log, name, namespace, provider });
    const version = ownVersion();
    this.#status = new EdgeStatus({
      client,
      loadBalancers: this.#informers.loadBalancers.store,
      name: config.name,
      report: (loadBalancer) => {
        const { metadata } = loadBalancer;
        return buildReport(keyOf(loadBalancer), metadata.generation ?? 0, this.#keeper.state, {
          name: config.name,
          version,
        });
      },
      log,
    });
  }

  async start(): Promise<void> {
    const { loadBalancers, nodes, provider, slices } = this.#informers;
    const touch = () => this.#keeper.touch();
    for (const { store } of [provider, nodes, slices]) store.onChange(touch);
    loadBalancers.store.onChange(({ object, previous, type }) => {
      // Whatever it says now counts, not what was written before: others may have taken that out.
      this.#status.forget(object);
      // Statuses are written often, and change nothing here.
      if (previous?.metadata.generation !== object.metadata.generation || type === 'Deleted') touch();
    });
    const metrics = new EdgeMetrics(() => ({
      state: this.#keeper.state,
      counts: { ...this.#keeper.counts, certificates: this.#certificates.replaced },
    }));
    const { host, port } = this.#config.listen;
    const pages = {
      '/livez': () => ({ status: 200, body: 'ok\n' }),
      '/healthz': () => this.#healthPage(),
      '/metrics': () => metrics.page(),
    };
    if (port !== 0) this.#web = await serve(pages, { address: host, port, log: this.#log });
    this.#keeper.touch();
    for (const informer of [provider, loadBalancers, nodes]) informer.start();
    void Promise.all([provider.synced, loadBalancers.synced, nodes.synced]).then(() => {
      this.#listed = true;
      this.#status.start();
      this.#lease.start();
      this.#keeper.touch();
    });
  }

  async stop(): Promise<void> {
    await this.#keeper.stop();
    this.#lease.stop();
    await this.#status.stop();
    await Promise.all(Object.values(this.#informers).map((informer) => informer.stop()));
    await this.#secrets.stop();
    await this.#web?.close();
    await this.#client.close();
  }

  /** undefined before all is listed, and while there is no provider of this name: nothing is changed then. */
  async #wanted() {
    const { loadBalancers, nodes, provider: providers, slices } = this.#informers;
    const provider = providers.store.get(this.#config.provider);
    if (!this.#listed || provider?.spec.haproxy === undefined) return undefined;
    const areCounted = loadBalancers.store.list().some(({ spec }) => needsEndpoints(spec));
    if (areCounted && !this.#slicesStarted) {
      this.#slicesStarted = true;
      slices.start();
      void slices.synced.then(() => this.#keeper.touch());
    }
    if (areCounted && !slices.hasSynced) return undefined;
    const secrets = this.#secrets.follow(loadBalancers.store.list().flatMap(secretsOf));
    const certificates = await this.#certificates.takeIn(secrets);
    const model = buildModel({
      provider: provider.spec,
      loadBalancers: loadBalancers.store.list(),
      certificateOf: (secret) => certificates.get(secret),
      loaded: this.#keeper.state.loaded,
      now: new Date(),
      nodes: nodes.store.list(),
      slicesOf: ({ metadata, spec }) =>
        slices.store.byIndex('service', `${metadata.namespace ?? ''}/${spec.service.name}`),
    });
    const { interface: device, vrrp } = provider.spec.haproxy;
    return { model, device, virtualRouterID: vrrp?.virtualRouterID };
  }

  #afterTurn(): void {
    if (!this.#listed) return;
    this.#status.touch();
    const { loaded, services, worker } = this.#keeper.state;
    const isServing = worker !== undefined && this.#isWantedKnown && services.size === loaded.size;
    if (isServing && !this.#wasServing) this.#log.info('Serving', { services: services.size });
    this.#wasServing = isServing;
  }

  #healthPage() {
    const { fatal, worker } = this.#keeper.state;
    if (worker === undefined) return { status: 503, body: 'HAProxy does not answer\n' };
    if (fatal !== undefined) return { status: 503, body: `${fatal.reason}: ${fatal.message}\n` };
    return { status: 200, body: this.#listed ? 'ok\n' : 'ok, with what was served last\n' };
  }
}

/** One edge a folder: no other HAProxy of the machine has this name. */
function tablesSocket(folder: string): string {
  return `fairlead-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`;
}
