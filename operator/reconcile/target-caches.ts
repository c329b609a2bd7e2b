import type { KubeClient } from '../../kube/client.ts';
import { createInformer, type Informer } from '../../kube/informer.ts';
import type { Logger } from '../../kube/log.ts';
import type { EndpointSlice, Pod } from '../../kube/objects.ts';
import { ENDPOINT_SLICES, PODS } from '../../kube/resources.ts';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

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
    this.slices.store.addIndex('service', (slice) => [serviceOfSlice(slice)]);
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

/** `namespace/name` of the Service. */
export function serviceOfSlice({ metadata }: EndpointSlice): string {
  return `${metadata.namespace ?? ''}/${metadata.labels?.[SERVICE_NAME_LABEL] ?? ''}`;
}

/** Of a Pod, what its readiness gates are decided by. */
function keepGates({ metadata, spec, status }: Pod): Pod {
  const { name, namespace, uid, resourceVersion, deletionTimestamp } = metadata;
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
    spec: { readinessGates: spec?.readinessGates ?? [] },
    status: {
      conditions: (status?.conditions ?? []).map(({ type, status }) => ({ type, status })),
    },
  };
}
