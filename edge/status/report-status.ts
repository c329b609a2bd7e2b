import { isDeepStrictEqual } from 'node:util';
import type { EdgeReport } from '../../crds/haproxy-provider.ts';
import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { applyStatus } from '../../kube/apply.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isClass } from '../../kube/errors.ts';
import type { Logger } from '../../kube/log.ts';
import { keyOf } from '../../kube/resources.ts';
import type { Store } from '../../kube/store.ts';
import { type ReconcileResult, WorkQueue } from '../../kube/workqueue.ts';

export interface StatusOptions {
  client: KubeClient;
  loadBalancers: Store<LoadBalancer>;
  /** The edge's name: of its entry, and of its field manager. */
  name: string;
  report: (loadBalancer: LoadBalancer) => EdgeReport;
  log: Logger;
}

const DONE: ReconcileResult = { kind: 'done' };

/** Keeps this edge's entry in the status of each of its LoadBalancers: written when it says something else, only. */
export class EdgeStatus {
  readonly #options: StatusOptions;
  readonly #queue: WorkQueue;
  /** What was written last, by uid: the watch may lag behind it. */
  readonly #written = new Map<string, EdgeReport>();

  constructor(options: StatusOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({
      name: 'edge-status',
      concurrency: 4,
      log: options.log,
      baseDelayMs: 100,
      maxDelayMs: 30_000,
      process: (key) => this.#write(key),
    });
  }

  start(): void {
    this.#queue.start();
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  /** Looks at all: something changed. */
  touch(): void {
    for (const loadBalancer of this.#options.loadBalancers.list()) {
      if (this.#isNews(loadBalancer)) this.#queue.add(keyOf(loadBalancer));
    }
  }

  #isNews(loadBalancer: LoadBalancer): boolean {
    const report = this.#options.report(loadBalancer);
    const written = this.#written.get(loadBalancer.metadata.uid ?? '');
    return !isDeepStrictEqual(report, written ?? this.#ownEntry(loadBalancer));
  }

  #ownEntry({ status }: LoadBalancer): EdgeReport | undefined {
    return status?.edges?.find(({ name }) => name === this.#options.name);
  }

  async #write(key: string): Promise<ReconcileResult> {
    const { client, loadBalancers, name, report } = this.#options;
    const loadBalancer = loadBalancers.get(key);
    if (loadBalancer === undefined || !this.#isNews(loadBalancer)) return DONE;
    const { uid = '' } = loadBalancer.metadata;
    const entry = report(loadBalancer);
    try {
      await applyStatus(
        client,
        LOAD_BALANCERS,
        { metadata: loadBalancer.metadata, status: { edges: [entry] } },
        { fieldManager: `fairlead-edge-${name}` },
      );
      this.#written.set(uid, entry);
      return DONE;
    } catch (error) {
      this.#written.delete(uid);
      if (isClass(error, 'NotFound', 'Conflict')) return DONE;
      return { kind: 'failed', error, terminal: false };
    }
  }

  /** Gone, or another version was seen: what stands there is what is compared with. */
  forget({ metadata }: LoadBalancer): void {
    this.#written.delete(metadata.uid ?? '');
  }
}
