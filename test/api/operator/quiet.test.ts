import { expect } from 'chai';
import { ADDRESS_POOLS, LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { sharedCluster } from '../support/cluster.ts';
import { Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

describe('operator: what it writes, and what it does not', () => {
  let operator: TestOperator;
  let fixture: Fixture;

  beforeEach(async function () {
    this.timeout(120_000);
    operator = await startTestOperator(await sharedCluster());
    fixture = await Fixture.create(await sharedCluster());
    await fixture.provider();
    await fixture.pool(['192.0.2.100-192.0.2.119']);
  });
  afterEach(async () => {
    await fixture.clean();
    await operator.stop();
  });

  const serve = async (...names: string[]) => {
    await Promise.all(names.map((name) => fixture.service(name)));
    await Promise.all(names.map((name) => fixture.untilAddress(name)));
    for (const name of names)
      await fixture.untilLoadBalancer(name, (each) => each.status !== undefined, 'status');
    await waitFor(
      () => fixture.client.get(ADDRESS_POOLS, undefined, `a-${fixture.id}`),
      ({ status }) => status?.used === `${names.length}`,
      'the pool to count',
    );
    await waitFor(
      () => fixture.client.get(LOAD_BALANCER_PROVIDERS, undefined, `p-${fixture.id}`),
      ({ status }) => status?.loadBalancers === names.length,
      'the provider to count',
    );
  };
  /** Those that this test caused: other tests share the API server. */
  const writesHere = () =>
    operator.writes.filter((write) => write.includes(fixture.namespace) || write.includes(fixture.id));
  /** Until the operator has had nothing to do here for a second. */
  const settle = async () => {
    for (let seen = -1; seen !== writesHere().length + operator.reconciles.length; ) {
      seen = writesHere().length + operator.reconciles.length;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  };
  const quiet = async () => await new Promise((resolve) => setTimeout(resolve, 1_500));

  it('writes two times on the way to an address: the claim, then the status with the finalizer', async () => {
    await fixture.service('web');
    await fixture.untilAddress('web');

    // The pool and the provider, which are just as new, are told of their use beside that.
    const writes = operator.writes.filter((write) => write.includes(`/namespaces/${fixture.namespace}/`));
    expect(writes.slice(0, 2)).to.deep.equal([
      `POST /apis/fairlead.dev/v1alpha1/namespaces/${fixture.namespace}/loadbalancers`,
      `PATCH /api/v1/namespaces/${fixture.namespace}/services/web/status`,
    ]);
  });

  it('rests while a Service waits for an address, until one is free', async () => {
    await fixture.pool(['192.0.2.130/32'], { autoAssign: false }, 'one');
    const annotations = { 'fairlead.dev/address-pool': `aone-${fixture.id}` };
    await fixture.service('has', { annotations });
    await fixture.untilAddress('has');
    await fixture.service('waits', { annotations });
    await fixture.untilReason('waits', 'AddressPoolExhausted');
    await settle();
    operator.reconciles.length = 0;
    await quiet();
    expect(operator.reconciles.filter((key) => key.startsWith(`${fixture.namespace}/`))).to.deep.equal([]);
  });

  it('writes nothing in the steady state, nor after a restart', async () => {
    await serve('one', 'two', 'three');
    await settle();
    operator.writes.length = 0;
    await quiet();
    expect(writesHere()).to.deep.equal([]);

    await operator.stop();
    operator = await startTestOperator(await sharedCluster());
    await quiet();
    expect(writesHere()).to.deep.equal([]);
    expect(operator.events.filter(({ regarding }) => regarding.startsWith(fixture.namespace))).to.deep.equal(
      [],
    );
  });

  it('writes nothing when something changes that concerns nobody here', async () => {
    await serve('one', 'two');
    await settle();
    operator.writes.length = 0;

    await fixture.patch(SERVICES, 'one', {
      metadata: { labels: { colour: 'blue' }, annotations: { note: 'x' } },
    });
    await fixture.patch(LOAD_BALANCER_PROVIDERS, `p-${fixture.id}`, {
      metadata: { labels: { colour: 'blue' } },
    });
    await fixture.patch(ADDRESS_POOLS, `a-${fixture.id}`, { metadata: { labels: { colour: 'blue' } } });
    await quiet();

    expect(writesHere()).to.deep.equal([]);
  });

  it('counts many Services in few writes of their pool', async () => {
    operator.writes.length = 0;
    const begin = performance.now();
    await serve(...Array.from({ length: 15 }, (_, index) => `web-${index}`));
    const pools = writesHere().filter((write) => write.includes('addresspools'));
    // Changes of half a second are gathered into one write.
    expect(pools.length).to.be.within(1, 3 + (performance.now() - begin) / 500);
  });

  it('tells of a pool how full it is, and of a provider that nobody answers for its addresses', async () => {
    await serve('one', 'two', 'three');
    const { status } = await fixture.client.get(ADDRESS_POOLS, undefined, `a-${fixture.id}`);
    expect(status).to.include({ total: '20', used: '3', free: '17' });
    expect(findCondition(status?.conditions, 'Ready')?.status).to.equal('True');
    const provider = await fixture.client.get(LOAD_BALANCER_PROVIDERS, undefined, `p-${fixture.id}`);
    expect(provider.status).to.include({ type: 'announce', loadBalancers: 3 });
    expect(findCondition(provider.status?.conditions, 'Accepted')?.status).to.equal('True');
    expect(findCondition(provider.status?.conditions, 'Ready')).to.include({
      status: 'False',
      reason: 'NoLiveAgent',
    });
  });

  it('tells the course of a load balancer in events, each once', async () => {
    await fixture.service('web');
    await fixture.untilAddress('web');
    await fixture.patch(SERVICES, 'web', { spec: { ports: [{ name: 'https', port: 443 }] } });
    await fixture.untilLoadBalancer('web', (each) => each.spec.frontends?.[0]?.port === 443, 'port 443');
    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');

    const told = () =>
      operator.events
        .filter(({ regarding, type }) => regarding.startsWith(`${fixture.namespace}/`) && type === 'Normal')
        .map(({ reason }) => reason);
    await waitFor(
      async () => told(),
      (reasons) => reasons.includes('DeletedLoadBalancer'),
      'the last event',
    );
    expect(told()).to.deep.equal([
      'EnsuringLoadBalancer',
      'EnsuredLoadBalancer',
      'UpdatedLoadBalancer',
      'DeletingLoadBalancer',
      'DeletedLoadBalancer',
    ]);
  });
});
