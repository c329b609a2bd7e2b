import type { KubeClient } from '../../../kube/client.ts';
import { isClass } from '../../../kube/errors.ts';
import { microTime } from '../../../kube/lease-times.ts';
import type { Logger } from '../../../kube/log.ts';
import type { Lease } from '../../../kube/objects.ts';
import { LEASES, NODES } from '../../../kube/resources.ts';
import type { LabNode } from '../network/addresses.ts';
import { buildNode, buildNodeStatus } from './build-node.ts';

const NAMESPACE = 'kube-node-lease';
/** A real kubelet renews each 10 s and reports status each 5 min; the lab loses and finds nodes quicker (see README). */
export const LEASE_PERIOD_MS = 500;
const STATUS_PERIOD_MS = 10_000;
const REQUEST_TIMEOUT_MS = 2_000;

/** Registers the Node and keeps it Ready: its Lease twice a second, its status at times and after each absence. */
export class Heartbeat {
  readonly #client: KubeClient;
  readonly #node: LabNode;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #statusDue = 0;
  #readySince = new Date().toISOString();
  #absent = false;

  constructor(client: KubeClient, node: LabNode, log: Logger) {
    this.#client = client;
    this.#node = node;
    this.#log = log;
  }

  /** Resolves once the Node is there and was reported Ready. */
  async start(): Promise<void> {
    for (;;) {
      try {
        await this.#register();
        break;
      } catch (error) {
        this.#log.warn('RegisterFailed', { error });
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
    void this.#run();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #register(): Promise<void> {
    const now = new Date();
    try {
      await this.#client.create(NODES, buildNode(this.#node, now.toISOString()));
    } catch (error) {
      if (!isClass(error, 'Conflict')) throw error;
    }
    await this.#reportStatus();
    const lease: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: this.#node.name, namespace: NAMESPACE },
      spec: { holderIdentity: this.#node.name, leaseDurationSeconds: 40, renewTime: microTime(now) },
    };
    try {
      await this.#client.create(LEASES, lease);
    } catch (error) {
      if (!isClass(error, 'Conflict')) throw error;
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const startedAt = performance.now();
      try {
        await this.#renew();
        if (this.#absent || startedAt >= this.#statusDue) await this.#reportStatus();
        this.#absent = false;
      } catch (error) {
        if (!this.#absent) this.#log.warn('HeartbeatFailed', { error });
        this.#absent = true;
      }
      const restMs = LEASE_PERIOD_MS - (performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, Math.max(restMs, 50)));
    }
  }

  async #renew(): Promise<void> {
    const body = { spec: { holderIdentity: this.#node.name, renewTime: microTime(new Date()) } };
    await this.#client.request(
      'PATCH',
      `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${this.#node.name}`,
      {
        body,
        contentType: 'application/merge-patch+json',
        timeoutMs: REQUEST_TIMEOUT_MS,
      },
    );
  }

  async #reportStatus(): Promise<void> {
    if (this.#absent) this.#readySince = new Date().toISOString();
    const status = buildNodeStatus(this.#node, new Date().toISOString(), this.#readySince);
    await this.#client.request('PATCH', `/api/v1/nodes/${this.#node.name}/status`, {
      body: { status },
      contentType: 'application/merge-patch+json',
      timeoutMs: REQUEST_TIMEOUT_MS,
    });
    this.#statusDue = performance.now() + STATUS_PERIOD_MS;
  }
}
