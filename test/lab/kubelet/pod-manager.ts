import { createInformer } from '../../../kube/informer.ts';
import { isAlive } from '../process-identity.ts';
import type { Pod } from './pod.ts';
import { PODS } from './pod.ts';
import { deletePodNetwork } from './pod-network.ts';
import type { PodRecord } from './pod-records.ts';
import { type PodContext, PodWorker } from './pod-worker.ts';

/** Shorter than by default: a node that was cut off ought to notice soon after it is back. */
const WATCH_IDLE_MS = 20_000;
const LONGEST_DELAY_MS = 1_000;

/** Watches the pods of one node and keeps a worker for each. */
export class PodManager {
  readonly #context: PodContext;
  readonly #workers = new Map<string, PodWorker>();
  readonly #leftOver: Map<string, PodRecord>;

  constructor(context: PodContext) {
    this.#context = context;
    this.#leftOver = new Map(context.records.list().map((record) => [record.uid, record]));
    for (const { network } of this.#leftOver.values()) if (network) context.slots.take(network.slot);
  }

  /** Resolves after the first listing was taken in: every pod of an earlier life is adopted or cleaned away. */
  async start(): Promise<void> {
    const { client, node, log } = this.#context;
    const informer = createInformer(client, PODS, {
      log,
      fieldSelector: `spec.nodeName=${node.name}`,
      idleTimeoutMs: WATCH_IDLE_MS,
      longestDelayMs: LONGEST_DELAY_MS,
    });
    informer.store.onChange(({ type, object, previous }) => {
      if (previous && previous.metadata.uid !== object.metadata.uid) this.#remove(previous);
      if (type === 'Deleted') this.#remove(object);
      else this.#update(object);
    });
    informer.start();
    await informer.synced;
    for (const record of this.#leftOver.values()) await this.#discard(record);
    this.#leftOver.clear();
  }

  #update(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    if (worker) {
      worker.update(pod);
      return;
    }
    const finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (finished && pod.metadata.deletionTimestamp === undefined) return;
    const record = this.#leftOver.get(uid);
    this.#leftOver.delete(uid);
    this.#workers.set(uid, new PodWorker(this.#context, pod, record));
  }

  #remove(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const worker = this.#workers.get(uid);
    this.#workers.delete(uid);
    worker?.remove().catch((error: unknown) => this.#context.log.error('RemoveFailed', { error }));
  }

  /** A pod that was deleted while no kubelet ran. */
  async #discard(record: PodRecord): Promise<void> {
    for (const { process: left } of Object.values(record.containers)) {
      if (left && isAlive(left)) process.kill(left.pid, 'SIGKILL');
    }
    if (record.network) {
      await deletePodNetwork(record.network.namespace, record.network.slot);
      this.#context.slots.giveBack(record.network.slot);
    }
    this.#context.records.remove(record.uid);
    this.#context.log.info('PodDiscarded', { pod: record.key });
  }
}
