import { expect } from 'chai';
import type { AddressClaim } from '../../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../../crds/resources.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

describe('operator: LoadBalancers changed past it', () => {
  let operator: TestOperator;
  let fixture: Fixture;

  before(async function () {
    this.timeout(120_000);
    operator = await startTestOperator(await sharedCluster());
  });
  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    await fixture.provider();
  });
  afterEach(async () => await fixture.clean());
  after(async () => await operator.stop());

  const claim = (address: string): AddressClaim => ({ address, family: 'IPv4', pool: `a-${fixture.id}` });
  const edit = async (service: string, ...addresses: string[]) =>
    await fixture.patch(LOAD_BALANCERS, `${service}.p-${fixture.id}`, {
      spec: { addresses: addresses.length === 0 ? null : addresses.map(claim) },
    });
  const untilClaims = async (service: string, ...addresses: string[]) =>
    await fixture.untilLoadBalancer(
      service,
      ({ spec }) => (spec.addresses ?? []).map(({ address }) => address).join() === addresses.join(),
      `claims of ${addresses.join()}`,
    );
  /** Two Services, the second a second younger: ages are whole seconds. */
  const serveTwo = async () => {
    await fixture.pool(['192.0.2.90-192.0.2.99']);
    await fixture.service('older');
    await fixture.untilAddress('older');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await fixture.service('younger');
    await fixture.untilAddress('younger');
  };

  describe('an address written by hand is no claim, and is taken out again', () => {
    it('when another holds it, also when that one is younger', async () => {
      await serveTwo();

      await edit('older', '192.0.2.91');

      await untilClaims('older', '192.0.2.90');
      await fixture.service('third');
      expect(await fixture.untilAddress('third')).to.equal('192.0.2.92');
      expect(addressesOf(await fixture.getService('older'))).to.deep.equal(['192.0.2.90']);
      expect(addressesOf(await fixture.getService('younger'))).to.deep.equal(['192.0.2.91']);
      await untilClaims('younger', '192.0.2.91');
    });

    it('when no pool holds it', async () => {
      await serveTwo();

      await edit('older', '203.0.113.7', '192.0.2.90');

      await untilClaims('older', '192.0.2.90');
      expect(addressesOf(await fixture.getService('older'))).to.deep.equal(['192.0.2.90']);
    });

    it('when it takes the place of one, which goes to nobody else meanwhile', async () => {
      await serveTwo();

      await edit('older', '203.0.113.7');
      await fixture.service('third');

      expect(await fixture.untilAddress('third')).to.equal('192.0.2.92');
      await untilClaims('older', '192.0.2.90');
    });

    it('when no operator was there to see it', async () => {
      await serveTwo();

      await operator.stop();
      await edit('older', '192.0.2.91');
      operator = await startTestOperator(await sharedCluster());

      await fixture.until('older', (each) => addressesOf(each).join() === '192.0.2.90', 'its own address');
      await untilClaims('older', '192.0.2.90');
      expect(addressesOf(await fixture.getService('younger'))).to.deep.equal(['192.0.2.91']);
      await untilClaims('younger', '192.0.2.91');
    });

    it('when no operator was there to see it, and no pool holds it', async () => {
      await serveTwo();

      await operator.stop();
      await edit('older', '203.0.113.7');
      operator = await startTestOperator(await sharedCluster());

      await untilClaims('older', '192.0.2.90');
      await fixture.until('older', (each) => addressesOf(each).join() === '192.0.2.90', 'its own address');
    });
  });

  it('gives back addresses that were taken out by hand', async () => {
    await serveTwo();
    await fixture.client.delete(SERVICES, fixture.namespace, 'older');
    await fixture.untilGone(SERVICES, 'older');
    await fixture.untilGone(LOAD_BALANCERS, `older.p-${fixture.id}`);

    await edit('younger');

    await untilClaims('younger', '192.0.2.91');
    expect(addressesOf(await fixture.getService('younger'))).to.deep.equal(['192.0.2.91']);
  });

  it('frees what a load balancer had that nobody wants any more when it is deleted, the new provider failing', async () => {
    const pool = await fixture.pool(['192.0.2.90/32']);
    const annotations = { 'fairlead.dev/providers': `p-${fixture.id}` };
    await fixture.service('web', { provider: '', annotations });
    await fixture.untilAddress('web');
    await fixture.patch(SERVICES, 'web', {
      metadata: { annotations: { 'fairlead.dev/providers': `p2-${fixture.id}` } },
    });
    await fixture.untilReason('web', 'ProviderNotFound');

    await fixture.client.delete(LOAD_BALANCERS, fixture.namespace, `web.p-${fixture.id}`);

    await fixture.untilGone(LOAD_BALANCERS, `web.p-${fixture.id}`);
    await fixture.service('next');
    expect(await fixture.untilAddress('next'), `of ${pool}`).to.equal('192.0.2.90');
  });

  it('says that the LoadBalancer of a Service that was before is in the way, and serves once it is gone', async () => {
    await fixture.pool(['192.0.2.90-192.0.2.99']);
    await fixture.service('web');
    await fixture.untilAddress('web');
    const name = `web.p-${fixture.id}`;
    await fixture.patch(LOAD_BALANCERS, name, { metadata: { finalizers: ['example.com/backup'] } });
    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');

    await fixture.service('web');

    const condition = await fixture.untilReason('web', 'NameTaken');
    expect(condition).to.include({ status: 'False' });
    expect(condition.message).to.contain(name).and.to.contain('example.com/backup');
    await waitFor(
      async () =>
        operator.events.filter(
          ({ note, reason }) => reason === 'SyncLoadBalancerFailed' && note.includes(name),
        ),
      (events) => events.length === 1 && events[0]?.regarding === `${fixture.namespace}/web`,
      'one event',
    );
    expect((await fixture.getService('web')).metadata.finalizers).to.equal(undefined);
    await fixture.patch(LOAD_BALANCERS, name, { metadata: { finalizers: null } });
    await fixture.until(
      'web',
      (each) => conditionOf(each)?.status === 'True' || addressesOf(each).length > 0,
      'service',
    );
  });
});
