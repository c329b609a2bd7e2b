import type { KubeClient } from '../../kube/client.ts';
import { servicesOfSlice } from '../../kube/endpoint-slices.ts';
import { createInformer, type Informer } from '../../kube/informer.ts';
import type { Logger } from '../../kube/log.ts';
import type { EndpointSlice, Pod } from '../../kube/objects.ts';
import { ENDPOINT_SLICES, PODS } from '../../kube/resources.ts';
import { trimMeta } from '../../kube/trim-objects.ts';

/**
 * EndpointSlices and Pods, for load balancers that send traffic straight to pods. They are large, so nothing is listed
 * before one of these asks.
 */
export class TargetCaches {
  readonly slices: Informer<EndpointSlice>;
  readonly pods: Informer<Pod>;
  #started = false;

  constructor(client: KubeClient, log: Logger) {
    this.slices = createInformer(client, ENDPOINT_SLICES, { log, inSlices: true });
    this.pods = createInformer(client, PODS, { log, inSlices: true, transform: keepGates });
    this.slices.store.addIndex('service', servicesOfSlice);
  }

  /** Resolves once both are listed; lists them when nobody asked before. */
  async need(signal: AbortSignal): Promise<void> {
    if (!this.#started) {
      this.#started = true;
      this.slices.start();
      this.pods.start();
    }
    if (this.slices.hasSynced && this.pods.hasSynced) return;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([Promise.all([this.slices.synced, this.pods.synced]), aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async stop(): Promise<void> {
    if (this.#started) await Promise.all([this.slices.stop(), this.pods.stop()]);
  }
}

/** Of a Pod, what its readiness gates are decided by. */
function keepGates(pod: Pod): Pod {
  const { spec, status } = pod;
  return {
    metadata: trimMeta(pod),
    spec: { readinessGates: spec?.readinessGates ?? [] },
    status: {
      conditions: (status?.conditions ?? []).map(({ type, status }) => ({ type, status })),
    },
  };
}
