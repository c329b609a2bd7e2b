import type { KubeClient } from '../../kube/client.ts';
import { isClass } from '../../kube/errors.ts';
import type { Logger } from '../../kube/log.ts';
import { stripObject } from '../../kube/strip-object.ts';
import { type ReconcileResult, WorkQueue } from '../../kube/workqueue.ts';
import {
  planLoadBalancerStatus,
  type WantedStatus,
  writeLoadBalancerStatus,
} from '../status/load-balancer-status.ts';
import type { Caches } from './caches.ts';
import type { QuietTime } from './quiet-time.ts';

const DONE: ReconcileResult = { kind: 'done' };

/** Writes the statuses of LoadBalancers when there is time: the last word for each, and only what differs. */
export class LoadBalancerStatusQueue {
  readonly #wanted = new Map<string, WantedStatus>();
  readonly #queue: WorkQueue;

  constructor(options: {
    client: KubeClient;
    caches: Caches;
    quiet: QuietTime;
    now: () => string;
    log: Logger;
    concurrency: number;
  }) {
    const { client, caches, quiet, now, log, concurrency } = options;
    this.#queue = new WorkQueue({
      name: 'load-balancer-status',
      concurrency,
      log,
      baseDelayMs: 50,
      process: async (key) => {
        await quiet.wait();
        const wanted = this.#wanted.get(key);
        const loadBalancer = caches.freshLoadBalancers.get(key);
        if (wanted === undefined || loadBalancer === undefined) return this.#drop(key, wanted);
        const status = planLoadBalancerStatus(loadBalancer, wanted, now());
        if (status === undefined) return this.#drop(key, wanted);
        try {
          const written = await writeLoadBalancerStatus(client, loadBalancer, status);
          caches.freshLoadBalancers.note(stripObject(written));
        } catch (error) {
          if (isClass(error, 'NotFound')) return this.#drop(key, wanted);
          return { kind: 'failed', error, terminal: isClass(error, 'Rejected') };
        }
        return this.#drop(key, wanted);
      },
    });
  }

  /** Takes the place of what was to be told before. */
  tell(key: string, status: WantedStatus): void {
    this.#wanted.set(key, status);
    this.#queue.add(key);
  }

  /** What is to be written yet. */
  told(key: string): WantedStatus | undefined {
    return this.#wanted.get(key);
  }

  start(): void {
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  get depth(): number {
    return this.#queue.depth;
  }

  #drop(key: string, wanted: WantedStatus | undefined): ReconcileResult {
    if (this.#wanted.get(key) === wanted) this.#wanted.delete(key);
    return DONE;
  }
}
