import { expect } from 'chai';
import { LOAD_BALANCERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { FINALIZER } from '../../../operator/plan/names.ts';
import { eventually } from '../../support/eventually.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

describe('operator: a Service is served', () => {
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

  it('gives the lowest address of the pool, claims it in a LoadBalancer, and marks the Service', async () => {
    await fixture.provider();
    await fixture.pool(['192.0.2.10-192.0.2.20']);
    await fixture.service('web');

    expect(await fixture.untilAddress('web')).to.equal('192.0.2.10');
    const service = await fixture.getService('web');
    expect(service.status?.loadBalancer?.ingress).to.deep.equal([{ ip: '192.0.2.10', ipMode: 'VIP' }]);
    expect(service.metadata.finalizers).to.deep.equal([FINALIZER]);
    const loadBalancer = await fixture.getLoadBalancer('web');
    expect(loadBalancer.spec.addresses).to.deep.equal([
      { address: '192.0.2.10', family: 'IPv4', pool: `a-${fixture.id}` },
    ]);
    expect(loadBalancer.metadata.ownerReferences?.[0]).to.include({
      kind: 'Service',
      uid: service.metadata.uid,
    });
    expect(loadBalancer.spec.frontends?.[0]).to.include({ name: 'http', protocol: 'TCP', port: 80 });
  });

  it('tells each step in the conditions of the LoadBalancer', async () => {
    await fixture.provider();
    await fixture.pool(['192.0.2.10-192.0.2.20']);
    await fixture.service('web');

    const loadBalancer = await fixture.untilLoadBalancer(
      'web',
      (each) => each.status !== undefined,
      'a status',
    );

    const reasonOf = (type: string) => findCondition(loadBalancer.status?.conditions, type)?.reason;
    expect(reasonOf('Accepted')).to.equal('Accepted');
    expect(reasonOf('PortsClaimed')).to.equal('NotNeeded');
    expect(reasonOf('AddressClaimed')).to.equal('Claimed');
    // No agent runs here: nobody would answer for the address.
    expect(reasonOf('Programmed')).to.equal('NoLiveAgent');
    expect(reasonOf('Ready')).to.equal('NoLiveAgent');
    expect(conditionOf(await fixture.getService('web'))).to.include({
      status: 'False',
      reason: 'NoLiveAgent',
    });
  });

  it('releases everything when the Service is deleted, and Kubernetes its cluster IP', async () => {
    await fixture.provider();
    await fixture.pool(['192.0.2.10-192.0.2.20']);
    const service = await fixture.service('web');
    await fixture.untilAddress('web');

    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');

    await fixture.untilGone(LOAD_BALANCERS, `web.p-${fixture.id}`);
    const { clusterIP } = service.spec;
    // The API server frees it a moment after the Service is gone.
    const again = await eventually(() =>
      fixture.service('web', { spec: clusterIP === undefined ? {} : { clusterIP } }),
    );
    expect(again.spec.clusterIP).to.equal(clusterIP);
    expect(await fixture.untilAddress('web')).to.equal('192.0.2.10');
  });

  it('takes both families, and shows both', async () => {
    await fixture.provider();
    await fixture.pool(['192.0.2.10-192.0.2.20', '2001:db8::10-2001:db8::20']);
    await fixture.service('web', { spec: { ipFamilyPolicy: 'RequireDualStack' } });

    await fixture.untilAddress('web');
    expect(addressesOf(await fixture.getService('web'))).to.deep.equal(['192.0.2.10', '2001:db8::10']);
  });
});
