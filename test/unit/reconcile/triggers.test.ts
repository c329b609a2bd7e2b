import { expect } from 'chai';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { KubeClient } from '../../../kube/client.ts';
import { silentLogger } from '../../../kube/log.ts';
import { WorkQueue } from '../../../kube/workqueue.ts';
import { createCaches } from '../../../operator/reconcile/caches.ts';
import { Claims } from '../../../operator/reconcile/claims.ts';
import { Triggers } from '../../../operator/reconcile/triggers.ts';
import { makeLoadBalancer } from '../plan/objects.ts';

class RecordingQueue extends WorkQueue {
  readonly keys: string[] = [];

  override add(key: string): void {
    this.keys.push(key);
  }
}

function shared(service: string, sharedAddress: string, resourceVersion: string): LoadBalancer {
  return makeLoadBalancer(
    'nlb',
    {
      service: { name: service, uid: `uid-${service}` },
      provider: { name: 'nlb', type: 'aws' },
      sharedAddress,
    },
    { name: `${service}.nlb`, uid: `uid-${service}-nlb`, resourceVersion },
  );
}

describe('reconcile: our own write of a load balancer that is shared', () => {
  let queue: RecordingQueue;
  let caches: ReturnType<typeof createCaches>;

  beforeEach(() => {
    const log = silentLogger;
    caches = createCaches(new KubeClient({ server: 'http://127.0.0.1:1' }), log);
    queue = new RecordingQueue({
      name: 'services',
      concurrency: 1,
      log,
      process: async () => ({ kind: 'done' }),
    });
    const triggers = new Triggers(caches, queue);
    triggers.connect(new Claims(caches, () => {}));
    for (const each of [shared('old', 'back', '1'), shared('one', 'front', '2')]) {
      caches.loadBalancers.store.upsert(each);
    }
    triggers.open([]);
  });
  /** The answer comes first, as it does when the watch lags. */
  const write = (loadBalancer: LoadBalancer) => {
    caches.freshLoadBalancers.note(loadBalancer);
    caches.loadBalancers.store.upsert(loadBalancer);
  };

  it('wakes those that share it with a new one', () => {
    write(shared('two', 'front', '3'));

    expect(queue.keys).to.deep.equal(['shop/one']);
  });

  it('wakes those that it was shared with, and is now', () => {
    write(shared('two', 'back', '3'));
    queue.keys.length = 0;

    write(shared('two', 'front', '4'));

    expect(queue.keys.toSorted()).to.deep.equal(['shop/old', 'shop/one']);
  });

  it('wakes nobody when it says what it said before', () => {
    write(shared('two', 'front', '3'));
    queue.keys.length = 0;

    write({ ...shared('two', 'front', '4'), status: {} });

    expect(queue.keys).to.deep.equal([]);
  });
});
