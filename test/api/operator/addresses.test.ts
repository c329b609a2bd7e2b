import { expect } from 'chai';
import { ADDRESS_POOLS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

describe('operator: addresses', () => {
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

  const restart = async () => {
    await operator.stop();
    operator = await startTestOperator(await sharedCluster());
  };
  const annotate = async (name: string, annotations: Record<string, string | null>) =>
    await fixture.patch(SERVICES, name, { metadata: { annotations } });

  describe('asked for', () => {
    it('gives the address of fairlead.dev/address', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web', { annotations: { 'fairlead.dev/address': '192.0.2.47' } });
      expect(await fixture.untilAddress('web')).to.equal('192.0.2.47');
    });

    it('gives the address of spec.loadBalancerIP', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web', { spec: { loadBalancerIP: '192.0.2.48' } });
      expect(await fixture.untilAddress('web')).to.equal('192.0.2.48');
    });

    it('says who has the address that is asked for, and hands it over when it is free', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('first');
      await fixture.untilAddress('first');
      await fixture.service('second', { annotations: { 'fairlead.dev/address': '192.0.2.40' } });

      const condition = await fixture.untilReason('second', 'AddressTaken');
      expect(condition.message).to.contain(`${fixture.namespace}/first`);
      await fixture.client.delete(SERVICES, fixture.namespace, 'first');
      expect(await fixture.untilAddress('second')).to.equal('192.0.2.40');
    });
  });

  describe('shared', () => {
    const shared = { 'fairlead.dev/shared-address': 'front' };

    it('leaves the address to the one that stays when the other moves away and takes over its port', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('mover', { annotations: shared });
      await fixture.untilAddress('mover');
      // Ages have whole seconds, and the older of two LoadBalancers has the better right.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await fixture.service('stayer', { annotations: shared, spec: { ports: [{ port: 81 }] } });
      expect(await fixture.untilAddress('stayer')).to.equal('192.0.2.40');

      await fixture.patch(SERVICES, 'mover', {
        metadata: { annotations: { 'fairlead.dev/address': '192.0.2.45' } },
        spec: { ports: [{ name: 'http', port: 81 }] },
      });
      await annotate('stayer', { 'example.com/touched': 'now' });
      await fixture.until(
        'mover',
        (each) => addressesOf(each).join() === '192.0.2.45',
        'only the new address',
      );
      // Long enough for a stayer that is driven out to show it.
      await new Promise((resolve) => setTimeout(resolve, 3_000));

      expect(addressesOf(await fixture.getService('mover'))).to.deep.equal(['192.0.2.45']);
      expect(addressesOf(await fixture.getService('stayer'))).to.deep.equal(['192.0.2.40']);
    });

    it('gives one address to two Services whose ports do not clash', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web', { annotations: shared });
      await fixture.untilAddress('web');
      await fixture.service('dns', { annotations: shared, spec: { ports: [{ port: 53, protocol: 'UDP' }] } });

      expect(await fixture.untilAddress('dns')).to.equal('192.0.2.40');
      await fixture.client.delete(SERVICES, fixture.namespace, 'web');
      await fixture.untilGone(SERVICES, 'web');
      expect(addressesOf(await fixture.getService('dns'))).to.deep.equal(['192.0.2.40']);
    });

    it('gives an address of its own to one whose ports clash, and says why', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web', { annotations: shared });
      await fixture.untilAddress('web');
      await fixture.service('other', { annotations: shared });

      expect(await fixture.untilAddress('other')).to.equal('192.0.2.41');
      expect(conditionOf(await fixture.getService('other'))?.message).to.contain('TCP port 80');
    });

    it('does not let a later change of ports break in on the other', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web', { annotations: shared });
      await fixture.untilAddress('web');
      await fixture.service('api', { annotations: shared, spec: { ports: [{ port: 81 }] } });
      await fixture.untilAddress('api');

      await fixture.patch(SERVICES, 'api', { spec: { ports: [{ port: 80 }] } });

      await fixture.untilReason('api', 'SharedAddressPortsClash');
      expect((await fixture.getLoadBalancer('api')).spec.frontends?.map(({ port }) => port)).to.deep.equal([
        81,
      ]);
      await fixture.patch(SERVICES, 'web', { spec: { ports: [{ name: 'http', port: 82 }] } });
      await fixture.untilLoadBalancer('api', (each) => each.spec.frontends?.[0]?.port === 80, 'port 80');
      expect(addressesOf(await fixture.getService('api'))).to.deep.equal(['192.0.2.40']);
    });
  });

  describe('kept', () => {
    it('over a restart of the operator, whatever the order of names', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      for (const name of ['zebra', 'yak', 'ant']) {
        await fixture.service(name);
        await fixture.untilAddress(name);
      }

      await restart();
      await fixture.service('aardvark');

      expect(await fixture.untilAddress('aardvark')).to.equal('192.0.2.43');
      expect(await fixture.untilAddress('zebra')).to.equal('192.0.2.40');
      expect(await fixture.untilAddress('yak')).to.equal('192.0.2.41');
      expect(await fixture.untilAddress('ant')).to.equal('192.0.2.42');
    });

    it('when its pool does not hold it any more, and the Service is told', async () => {
      const pool = await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web');
      await fixture.untilAddress('web');

      await fixture.patch(ADDRESS_POOLS, pool, { spec: { addresses: ['192.0.2.60-192.0.2.69'] } });

      await fixture.until(
        'web',
        (each) => conditionOf(each)?.message.includes('no pool holds it any more') ?? false,
        'to be told',
      );
      await restart();
      await fixture.service('new');
      expect(await fixture.untilAddress('new')).to.equal('192.0.2.60');
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.40']);
    });

    it('when its pool is deleted or disabled', async () => {
      const pool = await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web');
      await fixture.untilAddress('web');

      await fixture.patch(ADDRESS_POOLS, pool, { spec: { disabled: true } });
      await fixture.service('late');
      await fixture.untilReason('late', 'NoMatchingAddressPool');
      await fixture.client.delete(ADDRESS_POOLS, undefined, pool);
      await fixture.untilGone(ADDRESS_POOLS, pool);
      await restart();

      await fixture.service('later');
      await fixture.until('later', (each) => conditionOf(each) !== undefined, 'a condition');
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.40']);
    });

    it('when a sibling is deleted', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('first');
      await fixture.untilAddress('first');
      await fixture.service('second');
      await fixture.untilAddress('second');

      await fixture.client.delete(SERVICES, fixture.namespace, 'first');
      await fixture.untilGone(SERVICES, 'first');
      await fixture.service('third');

      expect(await fixture.untilAddress('third')).to.equal('192.0.2.40');
      expect(await fixture.untilAddress('second')).to.equal('192.0.2.41');
    });

    it('when the LoadBalancer is deleted by hand: made anew with the same claims', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('filler');
      await fixture.untilAddress('filler');
      await fixture.service('web');
      await fixture.untilAddress('web');
      await fixture.client.delete(SERVICES, fixture.namespace, 'filler');
      await fixture.untilGone(SERVICES, 'filler');
      const { uid } = (await fixture.getLoadBalancer('web')).metadata;

      await fixture.client.delete(LOAD_BALANCERS, fixture.namespace, `web.p-${fixture.id}`);

      const anew = await fixture.untilLoadBalancer('web', (each) => each.metadata.uid !== uid, 'a new one');
      expect(anew.spec.addresses?.map(({ address }) => address)).to.deep.equal(['192.0.2.41']);
    });

    it('when the LoadBalancer is deleted while no operator runs, even if a new Service wants an address', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web');
      await fixture.untilAddress('web');

      await operator.stop();
      await fixture.client.delete(LOAD_BALANCERS, fixture.namespace, `web.p-${fixture.id}`);
      await fixture.service('aaa');
      operator = await startTestOperator(await sharedCluster());

      expect(await fixture.untilAddress('aaa')).to.equal('192.0.2.41');
      const anew = await fixture.untilLoadBalancer('web', () => true, 'a new one');
      expect(anew.spec.addresses?.map(({ address }) => address)).to.deep.equal(['192.0.2.40']);
    });
  });

  describe('moved when the Service asks', () => {
    it('to another address: the new one is claimed beside the old one, which goes once the new one is shown', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web');
      await fixture.untilAddress('web');

      await annotate('web', { 'fairlead.dev/address': '192.0.2.45' });

      const both = await fixture.untilLoadBalancer(
        'web',
        (each) => each.spec.addresses?.length === 2,
        'both',
      );
      expect(both.spec.addresses?.map(({ address }) => address)).to.deep.equal(['192.0.2.45', '192.0.2.40']);
      await fixture.until('web', (each) => addressesOf(each)[0] === '192.0.2.45', 'the new address');
      const one = await fixture.untilLoadBalancer('web', (each) => each.spec.addresses?.length === 1, 'one');
      expect(one.spec.addresses?.[0]?.address).to.equal('192.0.2.45');
      await fixture.service('next');
      expect(await fixture.untilAddress('next')).to.equal('192.0.2.40');
    });

    it('to another pool', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49'], { priority: 1 });
      const other = await fixture.pool(['192.0.2.50-192.0.2.59'], {}, '2');
      await fixture.service('web');
      expect(await fixture.untilAddress('web')).to.equal('192.0.2.40');

      await annotate('web', { 'fairlead.dev/address-pool': other });

      await fixture.until('web', (each) => addressesOf(each)[0] === '192.0.2.50', 'the new address');
    });

    it('and stays where it is, with the reason, while what it asks for cannot be had', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49']);
      await fixture.service('web');
      await fixture.untilAddress('web');

      await annotate('web', { 'fairlead.dev/address': '203.0.113.1' });

      await fixture.untilReason('web', 'AddressNotInPool');
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.40']);
    });

    it('from one family to both and back', async () => {
      await fixture.pool(['192.0.2.40-192.0.2.49', '2001:db8::40-2001:db8::49']);
      await fixture.service('web');
      await fixture.untilAddress('web');

      await fixture.patch(SERVICES, 'web', { spec: { ipFamilyPolicy: 'RequireDualStack' } });
      await fixture.until('web', (each) => addressesOf(each).length === 2, 'two addresses');
      await fixture
        .patch(SERVICES, 'web', {
          spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], clusterIPs: null },
        })
        .catch(async () => {
          const { clusterIP } = (await fixture.getService('web')).spec;
          await fixture.patch(SERVICES, 'web', {
            spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], clusterIPs: [clusterIP] },
          });
        });

      await fixture.until('web', (each) => addressesOf(each).join() === '192.0.2.40', 'one address');
    });
  });

  it('gives the port of a Service that changes its ports to its LoadBalancer', async () => {
    await fixture.pool(['192.0.2.40-192.0.2.49']);
    await fixture.service('web');
    await fixture.untilAddress('web');

    await fixture.patch(SERVICES, 'web', { spec: { ports: [{ name: 'https', port: 443 }] } });

    const changed = await fixture.untilLoadBalancer(
      'web',
      (each) => each.spec.frontends?.[0]?.port === 443,
      '443',
    );
    expect(changed.spec.addresses?.[0]?.address).to.equal('192.0.2.40');
  });

  it('lets the older LoadBalancer keep an address that two hold, moves the other, and tells it', async () => {
    await fixture.pool(['192.0.2.40-192.0.2.49']);
    await fixture.service('older');
    await fixture.untilAddress('older');
    // Ages are whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await fixture.service('younger');
    await fixture.untilAddress('younger');

    const addresses = [{ address: '192.0.2.40', family: 'IPv4', pool: `a-${fixture.id}` }];
    await fixture.patch(LOAD_BALANCERS, `younger.p-${fixture.id}`, { spec: { addresses } });

    const moved = await fixture.untilLoadBalancer(
      'younger',
      (each) => each.spec.addresses?.every(({ address }) => address !== '192.0.2.40') ?? false,
      'another address',
    );
    const address = moved.spec.addresses?.[0]?.address ?? '';
    await fixture.until('younger', (each) => addressesOf(each).join() === address, 'the other address');
    expect(addressesOf(await fixture.getService('older'))).to.deep.equal(['192.0.2.40']);
    const older = await fixture.getLoadBalancer('older');
    expect(older.spec.addresses?.map((each) => each.address)).to.deep.equal(['192.0.2.40']);
  });
});
