import { Backoff, sleep } from '../kube/backoff.ts';
import type { KubeClient } from '../kube/client.ts';
import { isClass } from '../kube/errors.ts';
import type { Logger } from '../kube/log.ts';
import { NAMESPACES } from '../kube/resources.ts';

/**
 * The UID of namespace kube-system: made once in a cluster's life, never changed, and kept by a backup. Waits for the API
 * server; throws when it refuses, and when `signal` fires.
 */
export async function readClusterId(client: KubeClient, signal: AbortSignal, log: Logger): Promise<string> {
  const backoff = new Backoff({ initialMs: 200, maxMs: 10_000 });
  for (;;) {
    try {
      const { metadata } = await client.get(NAMESPACES, undefined, 'kube-system', { signal });
      if (metadata.uid !== undefined) return metadata.uid;
    } catch (error) {
      if (signal.aborted || isClass(error, 'Rejected')) throw error;
      log.warn('ClusterIdNotRead', { error });
    }
    await sleep(backoff.next(), signal);
    signal.throwIfAborted();
  }
}
