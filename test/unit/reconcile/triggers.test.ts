import { expect } from 'chai';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { KubeClient } from '../../../kube/client.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { Node } from '../../../kube/objects.ts';
import type { Store } from '../../../kube/store.ts';
import { WorkQueue } from '../../../kube/workqueue.ts';
import { createCaches } from '../../../operator/reconcile/caches.ts';
import { Claims } from '../../../operator/reconcile/claims.ts';
import { Triggers } from '../../../operator/reconcile/triggers.ts';
import { eventually } from '../../support/eventually.ts';
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

/** Triggers with these load balancers, which have been seen, and what they wake from then on. */
function setUp(...loadBalancers: LoadBalancer[]) {
  const log = silentLogger;
  const caches = createCaches(new KubeClient({ server: 'http://127.0.0.1:1' }), log);
  const process = async () => ({ kind: 'done' }) as const;
  const queue = new RecordingQueue({ name: 'services', concurrency: 1, log, process });
  const triggers = new Triggers(caches, queue);
  triggers.connect(new Claims(caches, () => {}));
  for (const each of loadBalancers) caches.loadBalancers.store.upsert(each);
  triggers.open([]);
  return { caches, queue };
}

describe('reconcile: a node', () => {
  const of = (service: string, spec: Partial<LoadBalancer['spec']>) =>
    makeLoadBalancer('p', { service: { name: service, uid: service }, ...spec }, { name: `${service}.p` });
  const announced = { name: 'p', type: 'announce' } as const;
  const nodeSelector = { matchLabels: { rack: 'a' } };
  const all = [
    of('outside', { provider: { name: 'p', type: 'bigip' } }),
    of('to-pods', { provider: { name: 'p', type: 'aws' }, targets: { mode: 'Pod', drainSeconds: 0 } }),
    of('chosen', { provider: announced, announce: { nodeSelector } }),
    of('anywhere', { provider: announced }),
  ];
  const node = (version: string, labels: Record<string, string>, heartbeat = '') => ({
    metadata: { name: 'one', uid: 'one', resourceVersion: version, labels },
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: heartbeat }] },
  });
  const changes: Record<string, (nodes: Store<Node>) => void> = {
    'that comes': (nodes) =>
      nodes.upsert({ ...node('8', {}), metadata: { ...node('8', {}).metadata, name: 'two' } }),
    'that gets other labels': (nodes) => nodes.upsert(node('8', { rack: 'b' })),
    'that is deleted': (nodes) => nodes.remove(node('8', { rack: 'a' })),
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`${what} wakes the Services that it may serve`, async () => {
      const { caches, queue } = setUp(...all);
      caches.nodes.store.upsert(node('7', { rack: 'a' }));
      await eventually(() => expect(queue.keys).to.have.length(2));
      queue.keys.length = 0;
      change(caches.nodes.store);
      await eventually(() => expect(queue.keys).to.have.members(['shop/outside', 'shop/chosen']));
    });
  }
});

describe('reconcile: our own write of a load balancer that is shared', () => {
  let queue: RecordingQueue;
  let caches: ReturnType<typeof createCaches>;

  beforeEach(() => {
    ({ caches, queue } = setUp(shared('old', 'back', '1'), shared('one', 'front', '2')));
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
