import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ReconcileResult, WorkQueueObserver } from '../../kube/workqueue.ts';
import type { CloudCall } from '../../providers/registry.ts';

/**
 * The operator's metrics, on a registry of their own. No label takes its values from Services or namespaces: the number
 * of series depends on pools, providers and reasons alone.
 */
export class OperatorMetrics {
  readonly registry = new Registry();
  readonly #reconcileDuration = new Histogram({
    name: 'fairlead_reconcile_duration_seconds',
    help: 'Time to reconcile one key, by kind and result (done, retryAfter, failed, rejected).',
    labelNames: ['kind', 'result'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });
  readonly #queueWait = new Histogram({
    name: 'fairlead_queue_wait_seconds',
    help: 'Time that a key waited before it was reconciled, by kind.',
    labelNames: ['kind'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
    registers: [this.registry],
  });
  readonly #allocations = new Counter({
    name: 'fairlead_allocations_total',
    help: 'Addresses and ports claimed, by pool.',
    labelNames: ['resource', 'pool'],
    registers: [this.registry],
  });
  readonly #refusals = new Counter({
    name: 'fairlead_allocation_refusals_total',
    help: 'Requests for addresses or ports that were refused, by reason.',
    labelNames: ['resource', 'reason'],
    registers: [this.registry],
  });
  readonly #providerCalls = new Counter({
    name: 'fairlead_provider_calls_total',
    help: 'Calls of providers, by provider type, call and result (ok, or the class of the error).',
    labelNames: ['provider', 'call', 'result'],
    registers: [this.registry],
  });
  readonly #providerDuration = new Histogram({
    name: 'fairlead_provider_call_duration_seconds',
    help: 'Time that calls of providers took.',
    labelNames: ['provider', 'call'],
    buckets: [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 150, 300, 600, 1200],
    registers: [this.registry],
  });
  readonly #cloudCalls = new Counter({
    name: 'fairlead_cloud_api_calls_total',
    help: "Calls of clouds' APIs, each attempt, by operation and code (ok, or the API's error code).",
    labelNames: ['provider', 'operation', 'code'],
    registers: [this.registry],
  });
  readonly #cloudDuration = new Histogram({
    name: 'fairlead_cloud_api_call_duration_seconds',
    help: "Time that calls of clouds' APIs took.",
    labelNames: ['provider', 'operation'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });
  readonly #leading = new Gauge({
    name: 'fairlead_leading',
    help: '1 while this operator leads.',
    registers: [this.registry],
  });

  readonly #queues = new Map<string, () => number>();
  readonly #queueDepth = new Gauge({
    name: 'fairlead_queue_depth',
    help: 'Keys that wait or are reconciled, by kind.',
    labelNames: ['kind'],
    registers: [this.registry],
    collect: () => {
      for (const [kind, depth] of this.#queues) this.#queueDepth.set({ kind }, depth());
    },
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Reads the depth of a queue whenever metrics are asked for. */
  watchQueue(kind: string, depth: () => number): void {
    this.#queues.set(kind, depth);
  }

  /** What a queue of `kind` tells goes into reconcile durations and waits. */
  observeQueue(kind: string): WorkQueueObserver {
    return {
      started: (_key, waitedSeconds) => this.#queueWait.observe({ kind }, waitedSeconds),
      finished: (_key, tookSeconds, result) =>
        this.#reconcileDuration.observe({ kind, result: resultName(result) }, tookSeconds),
    };
  }

  countAllocation(resource: 'address' | 'nodePort' | 'forwardingPort', pool: string): void {
    this.#allocations.inc({ resource, pool });
  }

  countRefusal(resource: 'address' | 'port', reason: string): void {
    this.#refusals.inc({ resource, reason });
  }

  countProviderCall(provider: string, call: string, result: string, tookSeconds: number): void {
    this.#providerCalls.inc({ provider, call, result });
    this.#providerDuration.observe({ provider, call }, tookSeconds);
  }

  countCloudCall({ provider, operation, code, seconds }: CloudCall): void {
    this.#cloudCalls.inc({ provider, operation, code });
    this.#cloudDuration.observe({ provider, operation }, seconds);
  }

  setLeading(leading: boolean): void {
    this.#leading.set(leading ? 1 : 0);
  }
}

function resultName(result: ReconcileResult): string {
  return result.kind === 'failed' && result.terminal ? 'rejected' : result.kind;
}
