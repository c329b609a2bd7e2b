import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { ADDRESS_POOLS, LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import type { Service } from '../../../kube/objects.ts';
import { NAMESPACES, resource, SERVICES } from '../../../kube/resources.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

const RESOURCE_QUOTAS = resource('', 'v1', 'resourcequotas', 'ResourceQuota', true);
const COUNTED = 'count/loadbalancers.fairlead.dev';

describe('operator: <pending> explains itself', () => {
  let operator: TestOperator;
  let fixture: Fixture;

  before(async function () {
    this.timeout(120_000);
    operator = await startTestOperator(await sharedCluster());
  });
  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
  });
  afterEach(async () => await fixture.clean());
  after(async () => await operator.stop());

  const failuresOf = (service: string) =>
    operator.events.filter(
      ({ regarding, type }) => regarding === `${fixture.namespace}/${service}` && type === 'Warning',
    );

  it('names the provider that is not there, once, and serves as soon as it is', async () => {
    await fixture.service('web');

    const condition = await fixture.untilReason('web', 'ProviderNotFound');
    expect(condition.status).to.equal('False');
    expect(condition.message).to.contain(`"p-${fixture.id}"`);
    await fixture.pool(['192.0.2.30-192.0.2.39']);
    await fixture.provider();
    expect(await fixture.untilAddress('web')).to.equal('192.0.2.30');
    const isTold = ({ note }: { note: string }) => note.includes('ProviderNotFound');
    await waitFor(
      async () => failuresOf('web').filter(isTold),
      (events) => events.length === 1,
      'one event',
    );
  });

  it('says that there is no pool for the provider, and serves when there is one', async () => {
    await fixture.provider();
    await fixture.service('web', { annotations: { 'fairlead.dev/address-pool': `a-${fixture.id}` } });

    const condition = await fixture.untilReason('web', 'AddressPoolNotFound');
    expect(condition.message).to.contain('create it');
    await fixture.pool(['192.0.2.30-192.0.2.39']);
    expect(await fixture.untilAddress('web')).to.equal('192.0.2.30');
  });

  it('says which pool is exhausted, and serves when a sibling lets go of its address', async () => {
    await fixture.provider();
    await fixture.pool(['192.0.2.30/32']);
    await fixture.service('first');
    await fixture.untilAddress('first');
    await fixture.service('second');

    const condition = await fixture.untilReason('second', 'AddressPoolExhausted');
    expect(condition.message).to.contain(`"a-${fixture.id}" is exhausted (1 of 1`);
    const loadBalancer = await fixture.untilLoadBalancer(
      'second',
      (each) => each.status !== undefined,
      'status',
    );
    expect(loadBalancer.status?.conditions?.find(({ type }) => type === 'AddressClaimed')).to.include({
      status: 'False',
      reason: 'AddressPoolExhausted',
    });
    await fixture.client.delete(SERVICES, fixture.namespace, 'first');
    expect(await fixture.untilAddress('second')).to.equal('192.0.2.30');
  });

  it('hands a freed address on, however close deletion and creation are', async function () {
    this.timeout(180_000);
    await fixture.provider();
    await fixture.pool(['192.0.2.30/32']);
    await fixture.service('s-0');
    await fixture.untilAddress('s-0');
    for (let round = 1; round <= 36; round++) {
      const deleting = fixture.client.delete(SERVICES, fixture.namespace, `s-${round - 1}`);
      await new Promise((resolve) => setTimeout(resolve, round % 12));
      await Promise.all([deleting, fixture.service(`s-${round}`)]);
      expect(await fixture.untilAddress(`s-${round}`)).to.equal('192.0.2.30');
    }
  });

  it('serves when the exhausted pool grows', async () => {
    await fixture.provider();
    const pool = await fixture.pool(['192.0.2.30/32']);
    await fixture.service('first');
    await fixture.untilAddress('first');
    await fixture.service('second');
    await fixture.untilReason('second', 'AddressPoolExhausted');

    await fixture.patch(ADDRESS_POOLS, pool, { spec: { addresses: ['192.0.2.30/32', '192.0.2.35/32'] } });

    expect(await fixture.untilAddress('second')).to.equal('192.0.2.35');
    expect(await fixture.untilAddress('first')).to.equal('192.0.2.30');
  });

  it('says that two providers both want to be the default', async () => {
    await fixture.provider({ default: true }, '1');
    await fixture.provider({ default: true }, '2');
    await fixture.service('web', { provider: '' });

    const condition = await fixture.untilReason('web', 'AmbiguousDefaultProvider');
    expect(condition.message).to.contain(`p1-${fixture.id} and p2-${fixture.id}`);
    await fixture.patch(LOAD_BALANCER_PROVIDERS, `p2-${fixture.id}`, { spec: { default: false } });
    await fixture.pool(['192.0.2.30-192.0.2.39'], { providers: [`p1-${fixture.id}`] });
    expect(await fixture.untilAddress('web')).to.equal('192.0.2.30');
  });

  it('leaves a Service without a class alone when no provider is the default', async () => {
    await fixture.provider();
    await fixture.pool(['192.0.2.30-192.0.2.39']);
    await fixture.service('bare', { provider: '' });
    await fixture.service('web');
    await fixture.untilAddress('web');

    // The default provider of another test may be gone from the API server before the operator hears of it.
    const bare = await fixture.until('bare', (each) => conditionOf(each) === undefined, 'no condition');
    expect(bare.metadata.finalizers).to.equal(undefined);
  });

  it('keeps a namespace to its quota, whoever comes at the same moment, and lets in when there is room', async () => {
    await fixture.provider({ tenants: { maxLoadBalancersPerNamespace: 2 } });
    await fixture.pool(['192.0.2.30-192.0.2.39']);
    const names = ['one', 'two', 'three', 'four'];
    await Promise.all(names.map((name) => fixture.service(name)));

    const isSettled = (each: Service) =>
      addressesOf(each).length > 0 || conditionOf(each)?.reason === 'QuotaExceeded';
    const settled = await Promise.all(
      names.map((name) => fixture.until(name, isSettled, 'an address, or to be refused one')),
    );
    const refused = settled.filter((each) => conditionOf(each)?.reason === 'QuotaExceeded');
    expect(refused).to.have.length(2);
    const served = settled.find((each) => addressesOf(each).length > 0);
    await fixture.client.delete(SERVICES, fixture.namespace, served?.metadata.name ?? '');
    const list = await fixture.client.list(LOAD_BALANCERS, { namespace: fixture.namespace });
    expect(list.items.length).to.be.at.most(2);
    await Promise.any(refused.map((each) => fixture.untilAddress(each.metadata.name)));
  });

  it('does not serve a namespace that the provider is not for, until its labels say so', async () => {
    await fixture.provider({ tenants: { namespaceSelector: { matchLabels: { team: fixture.id } } } });
    await fixture.pool(['192.0.2.30-192.0.2.39']);
    await fixture.service('web');

    await fixture.untilReason('web', 'NamespaceNotAllowed');
    const patch = { metadata: { labels: { team: fixture.id } } };
    await fixture.client.patch(NAMESPACES, undefined, fixture.namespace, patch, { contentType: 'merge' });
    expect(await fixture.untilAddress('web')).to.equal('192.0.2.30');
  });

  it('does not work on and on at what claims and lets go again in each turn, whoever else waits', async () => {
    const { namespace } = fixture;
    await fixture.provider();
    await fixture.portPool({ forwardingPorts: ['9000-9005'] });
    await fixture.pool(['192.0.2.30-192.0.2.39']);
    const quota = await fixture.make(RESOURCE_QUOTAS, {
      metadata: { name: 'none', namespace },
      spec: { hard: { [COUNTED]: '0' } },
      status: { hard: { [COUNTED]: '0' }, used: { [COUNTED]: '0' } },
    });
    const { name } = quota.metadata;
    const setHard = async (hard: string) => {
      const patch = { status: { hard: { [COUNTED]: hard }, used: { [COUNTED]: '0' } } };
      const asked = { contentType: 'merge', subresource: 'status' } as const;
      await fixture.client.patch(RESOURCE_QUOTAS, namespace, name, patch, asked);
    };
    await setHard('0');
    const spec = { allocateLoadBalancerNodePorts: false };
    for (const each of ['ghost-1', 'ghost-2']) await fixture.service(each, { provider: 'ghost', spec });
    for (const each of ['web-1', 'web-2']) await fixture.service(each, { spec });
    for (const each of ['ghost-1', 'ghost-2']) await fixture.untilReason(each, 'ProviderNotFound');
    for (const each of ['web-1', 'web-2']) {
      const { message } = await fixture.untilReason(each, 'SyncFailed');
      expect(message).to.contain('exceeded quota: none');
    }

    const countOf = () => operator.reconciles.filter((key) => key.startsWith(`${namespace}/`)).length;
    const before = countOf();
    await sleep(2_000);
    // Two ask for their quota every few seconds. Woken by what each of them lets go, the four had more than 70 turns a second.
    expect(countOf() - before).to.be.below(16);

    await setHard('5');
    await fixture.untilAddress('web-1');
    await fixture.untilAddress('web-2');
  });

  it('does not guess at an annotation that it cannot read: one event, a condition, and no address', async () => {
    await fixture.provider();
    await fixture.pool(['192.0.2.30-192.0.2.39']);
    await fixture.service('web', { annotations: { 'fairlead.dev/scheme': 'publik' } });

    const condition = await fixture.untilReason('web', 'InvalidAnnotation');
    expect(condition.message).to.contain('fairlead.dev/scheme').and.to.contain('Public or Internal');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal([]);
    await waitFor(
      async () => failuresOf('web'),
      (events) => events.length === 1,
      'one event',
    );
    await fixture.patch(SERVICES, 'web', {
      metadata: { annotations: { 'fairlead.dev/scheme': 'Internal' } },
    });
    await fixture.untilAddress('web');
    expect((await fixture.getLoadBalancer('web')).spec.scheme).to.equal('Internal');
  });

  it('serves in spite of an annotation that nobody knows, and says so', async () => {
    await fixture.provider();
    await fixture.pool(['192.0.2.30-192.0.2.39']);
    await fixture.service('web', { annotations: { 'fairlead.dev/adress': '192.0.2.33' } });

    await fixture.untilAddress('web');
    expect(conditionOf(await fixture.getService('web'))?.message).to.contain('fairlead.dev/adress');
    const isTold = ({ reason }: { reason: string }) => reason === 'UnknownAnnotation';
    await waitFor(
      async () => failuresOf('web'),
      (events) => events.some(isTold),
      'an event',
    );
  });

  it('goes on serving what it has when an annotation becomes unreadable', async () => {
    await fixture.provider();
    await fixture.pool(['192.0.2.30-192.0.2.39']);
    await fixture.service('web');
    await fixture.untilAddress('web');

    await fixture.patch(SERVICES, 'web', { metadata: { annotations: { 'fairlead.dev/address': 'here' } } });

    await fixture.untilReason('web', 'InvalidAnnotation');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.30']);
  });
});
