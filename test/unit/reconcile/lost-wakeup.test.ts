import { expect } from 'chai';
import type { AddressPool } from '../../../crds/address-pool.ts';
import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import { KubeClient } from '../../../kube/client.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { KubeObject } from '../../../kube/objects.ts';
import { WorkQueue } from '../../../kube/workqueue.ts';
import { Applied } from '../../../operator/reconcile/applied.ts';
import { createCaches } from '../../../operator/reconcile/caches.ts';
import { Claims } from '../../../operator/reconcile/claims.ts';
import { CompiledObjects } from '../../../operator/reconcile/compiled-objects.ts';
import { Orphans } from '../../../operator/reconcile/orphans.ts';
import { Reminders } from '../../../operator/reconcile/reminders.ts';
import { ServiceReconciler } from '../../../operator/reconcile/service.ts';
import { TakenPorts } from '../../../operator/reconcile/taken-ports.ts';
import { Triggers } from '../../../operator/reconcile/triggers.ts';
import { createProviders } from '../../../providers/registry.ts';
import { eventually } from '../../support/eventually.ts';
import { makeLoadBalancer, makeProvider, makeService } from '../plan/objects.ts';

const RANGE = { first: 30000, last: 32767 };
const POOL: AddressPool = {
  metadata: { name: 'a' },
  spec: { addresses: ['192.0.2.1/32'], priority: 0, autoAssign: true, disabled: false },
};

/** Answers writes as an API server would, and lets a test hold the first creation back. */
class SlowClient extends KubeClient {
  readonly created = Promise.withResolvers<void>();
  readonly mayAnswer = Promise.withResolvers<void>();
  readonly specs: LoadBalancer['spec'][] = [];
  #version = 100;

  constructor() {
    super({ server: 'http://127.0.0.1:1' });
  }

  override async request<T>(...[method, , options]: Parameters<KubeClient['request']>): Promise<T> {
    const body = options?.body;
    const metadata = {
      name: 'web.edge',
      namespace: 'shop',
      uid: 'uid-b',
      resourceVersion: `${++this.#version}`,
    };
    let answer: KubeObject = { metadata };
    if (method === 'POST') {
      answer = { ...(body as LoadBalancer), metadata };
      this.created.resolve();
      await this.mayAnswer.promise;
    } else if (Array.isArray(body)) {
      answer = { metadata, spec: body.find(({ path }) => path === '/spec').value } as LoadBalancer;
    } else {
      const service = makeService();
      const { resourceVersion } = metadata;
      answer = { ...service, ...(body as object), metadata: { ...service.metadata, resourceVersion } };
    }
    const { spec } = answer as LoadBalancer;
    if (spec.service !== undefined) this.specs.push(spec);
    return answer as T;
  }
}

describe('reconcile: a Service that waits for an address', () => {
  it('gets one that was freed while it was still being told that there is none', async () => {
    const client = new SlowClient();
    const caches = createCaches(client, silentLogger);
    const queue = new WorkQueue({
      name: 'services',
      concurrency: 2,
      log: silentLogger,
      process: (key, signal) => reconciler.reconcile(key, signal),
    });
    const triggers = new Triggers(caches, queue);
    const providers = createProviders({
      agents: { count: () => 1 },
      edges: {
        reportsOf: () => [],
        silentSeconds: () => undefined,
        isLive: () => false,
        isUnproven: () => false,
        takeOut: async () => {},
      },
      readSecret: async () => ({}),
      readConfigMap: async () => ({}),
      tellProvider: () => {},
      observeCall: () => {},
    });
    const claims = new Claims(caches, () => triggers.waiting.freed());
    const context = {
      client,
      log: silentLogger,
      caches,
      claims,
      takenPorts: new TakenPorts(),
      compiled: new CompiledObjects(caches, { nodePortRange: RANGE, implementations: providers }),
      providers,
      applied: new Applied(),
      orphans: new Orphans(),
      agents: { isLive: () => false },
      clusterId: 'c',
      nodePortRange: RANGE,
      now: () => '2026-01-01T00:00:00Z',
      onPath: <T>(write: () => Promise<T>) => write(),
      tellLoadBalancer: () => {},
      toldLoadBalancer: () => undefined,
      tellEvents: () => {},
      reminders: new Reminders(() => {}),
    };
    const reconciler = new ServiceReconciler(context, triggers.waiting);
    triggers.connect(claims);
    caches.providers.store.upsert(makeProvider('edge', { default: true }));
    caches.addressPools.store.upsert(POOL);
    const holder = makeLoadBalancer(
      'edge',
      {
        service: { name: 'holder', uid: 'h' },
        addresses: [{ address: '192.0.2.1', family: 'IPv4', pool: 'a' }],
      },
      { name: 'holder.edge', uid: 'h' },
    );
    caches.loadBalancers.store.upsert(holder);
    caches.services.store.upsert(makeService());
    triggers.open(['shop/web']);
    queue.start();

    await client.created.promise;
    caches.loadBalancers.store.remove(holder);
    client.mayAnswer.resolve();
    await eventually(() => expect(client.specs.length).to.be.at.least(2));
    triggers.stop();
    await queue.stop();

    expect(client.specs.map(({ addresses }) => addresses?.map(({ address }) => address))).to.deep.equal([
      undefined,
      ['192.0.2.1'],
    ]);
  });
});
