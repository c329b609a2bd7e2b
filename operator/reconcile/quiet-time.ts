import { sleep } from '../../kube/backoff.ts';
import type { WorkQueue } from '../../kube/workqueue.ts';

/** However busy it is, what waits for a quiet moment is done after this. */
const LONGEST_WAIT_MS = 3_000;

/**
 * Holds back what nobody waits for (conditions of LoadBalancers, events, counts) while Services are worked on, so that it
 * takes neither the API server's time nor ours from the path to an address.
 */
export class QuietTime {
  readonly #queue: Pick<WorkQueue, 'depth' | 'idle'>;
  #busySince: number | undefined;

  constructor(queue: Pick<WorkQueue, 'depth' | 'idle'>) {
    this.#queue = queue;
  }

  /** Resolves at once when nothing waits, else when nothing does, or when it was busy for too long. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#queue.depth === 0) {
      this.#busySince = undefined;
      return;
    }
    this.#busySince ??= performance.now();
    const leftMs = this.#busySince + LONGEST_WAIT_MS - performance.now();
    if (leftMs <= 0) return;
    const done = new AbortController();
    const stop = () => done.abort();
    signal.addEventListener('abort', stop, { once: true });
    await Promise.race([this.#queue.idle(), sleep(leftMs, done.signal)]);
    signal.removeEventListener('abort', stop);
    done.abort();
  }
}
