import type { KubeClient } from '../kube/client.ts';
import { EventRecorder } from '../kube/events.ts';
import type { Logger } from '../kube/log.ts';
import { readClusterId } from './cluster-id.ts';
import type { OperatorConfig } from './config.ts';
import Operator from './operator.ts';
import { type Controller, createController } from './reconcile/controller.ts';
import { countClaims } from './web/count-claims.ts';
import type { OperatorMetrics } from './web/metrics.ts';

/** Fairlead's own operator: what runs from taking the Lease to losing it. */
export class FairleadOperator extends Operator {
  readonly #config: OperatorConfig;
  readonly #metrics: OperatorMetrics;
  readonly #identity: string;
  readonly #stopping = new AbortController();
  #controller: Controller | undefined;
  #events: EventRecorder | undefined;
  #ready = false;

  constructor(options: {
    client: KubeClient;
    config: OperatorConfig;
    metrics: OperatorMetrics;
    identity: string;
    log: Logger;
  }) {
    const { client, config, log } = options;
    super(log, { client, kubeconfig: config.kubeconfig, context: config.context });
    this.#config = config;
    this.#metrics = options.metrics;
    this.#identity = options.identity;
  }

  /** Every claim is taken in, and Services are reconciled. */
  get isReady(): boolean {
    return this.#ready;
  }

  override async stop(): Promise<void> {
    this.#ready = false;
    this.#stopping.abort();
    await this.#controller?.stop();
    await this.#events?.stop();
    await super.stop();
  }

  protected override async init(): Promise<void> {
    const { client, log } = this;
    const { namespace, nodePortRange, concurrency } = this.#config;
    const clusterId = this.#config.clusterId ?? (await readClusterId(client, this.#stopping.signal, log));
    if (this.#stopping.signal.aborted) return;
    this.#events = new EventRecorder({
      client,
      component: 'fairlead.dev/operator',
      instance: this.#identity,
      log,
    });
    const controller = createController({
      client,
      log,
      events: this.#events,
      observer: this.#metrics.observeQueue('Service'),
      cloudCallObserver: (call) => this.#metrics.countCloudCall(call),
      providerObserver: (...call) => this.#metrics.countProviderCall(...call),
      config: { namespace, clusterId, nodePortRange, concurrency },
    });
    this.#controller = controller;
    this.#metrics.watchQueue('Service', () => controller.depth);
    await controller.start();
    // From here on: what was claimed before isn't claimed again by being listed.
    controller.caches.loadBalancers.store.onChange((change) => countClaims(this.#metrics, change));
    this.#ready = true;
    log.info('Ready', { clusterId });
  }
}
