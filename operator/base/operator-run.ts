import { sleep } from '../../kube/backoff.ts';
import { KubeClient } from '../../kube/client.ts';
import { loadConnectionConfig } from '../../kube/config.ts';
import type { Logger } from '../../kube/log.ts';
import { type ReconcileResult, WorkQueue } from '../../kube/workqueue.ts';
import { ResourceWatch, type ResourceWatchOptions } from './resource-watch.ts';

export interface RunOptions {
  /** In the place of a client of its own; stays open when the run stops. */
  client?: KubeClient | undefined;
  kubeconfig?: string | undefined;
  context?: string | undefined;
  /** Objects handled at once. */
  concurrency: number;
}

/** A handler that never ends must not keep the process from ending. */
const LONGEST_STOP_MS = 15_000;

/** All that one run from start() to stop() has, so that nothing of it gets into the next. */
export class OperatorRun {
  readonly client: KubeClient;
  readonly #ownsClient: boolean;
  readonly #queue: WorkQueue;
  readonly #watches: ResourceWatch[] = [];
  /** By number of the watch. */
  readonly #handlers: ((key: string) => Promise<ReconcileResult>)[] = [];

  private constructor(client: KubeClient, options: RunOptions, log: Logger) {
    this.client = client;
    this.#ownsClient = options.client === undefined;
    this.#queue = new WorkQueue({
      name: 'events',
      concurrency: options.concurrency,
      log,
      process: async (entry) => {
        const space = entry.indexOf(' ');
        const handle = this.#handlers[Number(entry.slice(0, space))];
        return handle === undefined ? { kind: 'done' } : await handle(entry.slice(space + 1));
      },
    });
  }

  static async connect(options: RunOptions, log: Logger): Promise<OperatorRun> {
    const { client, kubeconfig, context } = options;
    const connected = client ?? new KubeClient(await loadConnectionConfig({ kubeconfig, context }));
    return new OperatorRun(connected, options, log);
  }

  /** What the watches see, in the order in which they began. */
  get stores(): readonly ResourceWatch['store'][] {
    return this.#watches.map((watch) => watch.store);
  }

  /** Handles what is queued from now on. */
  start(): void {
    this.#queue.start();
  }

  /** Handles the keys of one watch; answers what queues one. */
  handle(handler: (key: string) => Promise<ReconcileResult>): (key: string) => void {
    const number = this.#handlers.push(handler) - 1;
    return (key) => this.#queue.add(`${number} ${key}`);
  }

  /** Resolves when the watch has begun. */
  async watch(options: Omit<ResourceWatchOptions, 'client'>): Promise<void> {
    const watch = new ResourceWatch({ ...options, client: this.client });
    this.#watches.push(watch);
    await watch.start();
  }

  /** Ends the watches, and waits for the handlers that run. */
  async stop(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.stop()));
    const patience = new AbortController();
    await Promise.race([this.#queue.stop(), sleep(LONGEST_STOP_MS, patience.signal)]);
    patience.abort();
  }

  /** After `stop`. */
  async close(): Promise<void> {
    if (this.#ownsClient) await this.client.close();
  }
}
