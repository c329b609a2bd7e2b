import { expect } from 'chai';
import type { ProviderType } from '../../../crds/common.ts';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import { isClass } from '../../../kube/errors.ts';
import { LEASES, SERVICES } from '../../../kube/resources.ts';
import type { Provider } from '../../../providers/provider.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture, waitFor } from './support/objects.ts';
import { OutsideProvider } from './support/outside-provider.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

describe('operator: types, classes and providers', () => {
  let operator: TestOperator;
  let fixture: Fixture;

  before(async function () {
    this.timeout(120_000);
    operator = await startTestOperator(await sharedCluster());
  });
  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    await fixture.provider();
    await fixture.pool(['192.0.2.70-192.0.2.79']);
  });
  afterEach(async () => await fixture.clean());
  after(async () => await operator.stop());

  it('lets go of everything when the type becomes ClusterIP, and serves anew when it becomes LoadBalancer', async () => {
    await fixture.service('web');
    await fixture.untilAddress('web');

    await fixture.patch(SERVICES, 'web', { spec: { type: 'ClusterIP', loadBalancerClass: null } });
    const plain = await fixture.until(
      'web',
      (each) => each.metadata.finalizers === undefined,
      'no finalizer',
    );
    expect(addressesOf(plain)).to.deep.equal([]);
    expect(conditionOf(plain)).to.equal(undefined);
    await fixture.untilGone(LOAD_BALANCERS, `web.p-${fixture.id}`);

    await fixture.patch(SERVICES, 'web', {
      spec: { type: 'LoadBalancer', loadBalancerClass: `fairlead.dev/p-${fixture.id}` },
    });
    expect(await fixture.untilAddress('web')).to.equal('192.0.2.70');
  });

  it('never touches a Service of another class, whatever it says besides', async () => {
    await fixture.service('other', {
      spec: { loadBalancerClass: 'example.com/other' },
      annotations: { 'fairlead.dev/providers': `p-${fixture.id}`, 'fairlead.dev/paused': 'perhaps' },
    });
    const before = await fixture.getService('other');
    await fixture.service('web');
    await fixture.untilAddress('web');

    const after = await fixture.getService('other');
    expect(after.metadata.resourceVersion).to.equal(before.metadata.resourceVersion);
  });

  it('need not follow a change of class, since Kubernetes refuses it', async () => {
    await fixture.service('web');
    await fixture.untilAddress('web');

    const refusal = await fixture
      .patch(SERVICES, 'web', { spec: { loadBalancerClass: 'example.com/other' } })
      .catch((error: unknown) => error);

    expect(isClass(refusal, 'Rejected')).to.equal(true);
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.70']);
  });

  it('serves a Service without a class by the default provider, and stays with it when the default moves', async () => {
    const first = await fixture.provider({ default: true }, '1');
    await fixture.pool(['192.0.2.80-192.0.2.89'], { providers: [first] }, '1');
    await fixture.service('web', { provider: '' });
    expect(await fixture.untilAddress('web')).to.equal('192.0.2.80');

    await fixture.patch(LOAD_BALANCER_PROVIDERS, first, { spec: { default: false } });
    await fixture.patch(LOAD_BALANCER_PROVIDERS, `p-${fixture.id}`, { spec: { default: true } });
    await fixture.service('next', { provider: '' });

    expect(await fixture.untilAddress('next')).to.equal('192.0.2.70');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.80']);
  });

  it('gives a Service of type NodePort with the annotation a LoadBalancer over its node ports', async () => {
    await fixture.service('node', {
      spec: { type: 'NodePort' },
      annotations: { 'fairlead.dev/providers': `p-${fixture.id}` },
    });

    const loadBalancer = await fixture.untilLoadBalancer(
      'node',
      (each) => each.status?.ingress !== undefined,
      'ingress',
    );
    const service = await fixture.getService('node');
    expect(loadBalancer.spec.frontends?.[0]?.nodePort).to.equal(service.spec.ports?.[0]?.nodePort);
    expect(loadBalancer.status?.ingress?.[0]?.ip).to.equal('192.0.2.70');
    expect(addressesOf(service)).to.deep.equal([]);
    expect(conditionOf(service)?.message).to.contain('agent');
    await fixture.patch(SERVICES, 'node', { metadata: { annotations: { 'fairlead.dev/providers': null } } });
    await fixture.untilGone(LOAD_BALANCERS, `node.p-${fixture.id}`);
  });

  it('does not touch a paused Service, and says so; deleting it still works', async () => {
    await fixture.service('web');
    await fixture.untilAddress('web');
    await fixture.patch(SERVICES, 'web', { metadata: { annotations: { 'fairlead.dev/paused': 'true' } } });
    await fixture.untilReason('web', 'Paused');

    await fixture.patch(SERVICES, 'web', {
      metadata: { annotations: { 'fairlead.dev/address': '192.0.2.75' } },
      spec: { ports: [{ name: 'https', port: 443 }] },
    });
    await fixture.service('other');
    await fixture.untilAddress('other');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.70']);
    expect((await fixture.getLoadBalancer('web')).spec.frontends?.[0]?.port).to.equal(80);

    await fixture.patch(SERVICES, 'web', { metadata: { annotations: { 'fairlead.dev/paused': null } } });
    await fixture.until('web', (each) => addressesOf(each)[0] === '192.0.2.75', 'the new address');
  });

  it('says on the Service that an agent is alive, and when the last one died', async () => {
    await operator.stop();
    operator = await startTestOperator(await sharedCluster(), { agentsNamespace: fixture.namespace });
    const body = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: 'fairlead-agent-n1',
        namespace: fixture.namespace,
        labels: { 'fairlead.dev/component': 'agent' },
      },
      spec: { holderIdentity: 'n1', leaseDurationSeconds: 3600 },
    };
    await fixture.client.request(
      'POST',
      `/apis/coordination.k8s.io/v1/namespaces/${fixture.namespace}/leases`,
      {
        body,
      },
    );
    await fixture.service('web');

    await fixture.untilReason('web', 'Ready');
    // Its last renewal, after which it is dead in a second.
    await fixture.patch(LEASES, 'fairlead-agent-n1', {
      spec: { leaseDurationSeconds: 1, renewTime: '2000-01-01T00:00:00.000000Z' },
    });
    await fixture.untilReason('web', 'NoLiveAgent');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.70']);
  });

  describe('at a provider outside the cluster', () => {
    const outside = new OutsideProvider();

    before(async () => {
      await operator.stop();
      operator = await startTestOperator(await sharedCluster(), {
        providers: () => new Map<ProviderType, Provider>([['announce', outside]]),
      });
    });

    it('sets the finalizer before the provider makes anything', async () => {
      outside.beforeApply = async ({ namespace, name }) => {
        const service = await fixture.client.get(SERVICES, namespace, name.split('.')[0] ?? '');
        expect(service.metadata.finalizers).to.contain('fairlead.dev/load-balancer-cleanup');
      };
      await fixture.service('web');
      await fixture.untilAddress('web');
      expect(outside.made.size).to.equal(1);
      outside.beforeApply = async () => {};
    });

    it('waits with the deletion until the provider confirms that it is gone', async () => {
      await fixture.service('web');
      await fixture.untilAddress('web');
      outside.refuseDeletions = true;

      await fixture.client.delete(SERVICES, fixture.namespace, 'web');
      await waitFor(
        async () => outside.refused,
        (refused) => refused > 2,
        'attempts to delete',
      );
      expect((await fixture.getService('web')).metadata.deletionTimestamp).to.be.a('string');
      expect((await fixture.getLoadBalancer('web')).spec.addresses).to.have.length(1);

      outside.refuseDeletions = false;
      await fixture.untilGone(SERVICES, 'web');
      expect([...outside.made].filter((id) => id.startsWith(fixture.namespace))).to.deep.equal([]);
    });
  });
});
