import { applyObject } from '../../kube/apply.ts';
import type { KubeClient } from '../../kube/client.ts';
import { microTime } from '../../kube/lease-times.ts';
import type { Logger } from '../../kube/log.ts';
import { LEASES } from '../../kube/resources.ts';

export interface EdgeLeaseOptions {
  client: KubeClient;
  /** Of Fairlead. */
  namespace: string;
  provider: string;
  /** The edge's name among those of its provider. */
  name: string;
  log: Logger;
}

const RENEW_MS = 10_000;
const DURATION_SECONDS = 40;

/**
 * Says every few seconds that this edge follows the cluster, by a Lease of its own. Its HAProxy serves with it or without:
 * what lapses is the word of the edge.
 */
export class EdgeLease {
  readonly #options: EdgeLeaseOptions;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #failing = false;

  constructor(options: EdgeLeaseOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#renew().finally(() => {
      if (!this.#stopped) this.#timer = setTimeout(() => this.start(), RENEW_MS);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #renew(): Promise<void> {
    const { client, log, name, namespace, provider } = this.#options;
    const lease = {
      metadata: {
        namespace,
        name: `fairlead-edge-${provider}.${name}`,
        labels: { 'fairlead.dev/component': 'edge' },
      },
      spec: {
        holderIdentity: `${provider}/${name}`,
        leaseDurationSeconds: DURATION_SECONDS,
        renewTime: microTime(new Date()),
      },
    };
    try {
      await applyObject(client, LEASES, lease, { fieldManager: `fairlead-edge-${name}` });
      if (this.#failing) log.info('LeaseRenewed');
      this.#failing = false;
    } catch (error) {
      if (!this.#failing && !this.#stopped) log.warn('LeaseNotRenewed', { error });
      this.#failing = true;
    }
  }
}
