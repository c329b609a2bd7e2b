import { expect } from 'chai';
import type { ProviderType } from '../../../crds/common.ts';
import { LOAD_BALANCERS } from '../../../crds/resources.ts';
import { ClassedError, type ErrorClass } from '../../../kube/errors.ts';
import { SERVICES } from '../../../kube/resources.ts';
import type { Provider } from '../../../providers/provider.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture, waitFor } from './support/objects.ts';
import { OutsideProvider } from './support/outside-provider.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

describe('operator: what a provider says against it is told, and tried again', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  const outside = new OutsideProvider();

  before(async function () {
    this.timeout(120_000);
    operator = await startTestOperator(await sharedCluster(), {
      providers: () => new Map<ProviderType, Provider>([['announce', outside]]),
    });
  });
  beforeEach(async () => {
    outside.refused = 0;
    fixture = await Fixture.create(await sharedCluster());
    await fixture.provider();
    await fixture.pool(['192.0.2.100-192.0.2.109']);
  });
  afterEach(async () => {
    outside.failure = undefined;
    outside.refuseDeletions = false;
    outside.deletesForever = false;
    await fixture.clean();
  });
  after(async () => await operator.stop());

  const throttled = (errorClass: ErrorClass) =>
    new ClassedError('Rate exceeded', { class: errorClass, reason: 'Throttling' });
  const eventsOf = (service: string, reason: string) =>
    operator.events.filter(
      (each) => each.regarding === `${fixture.namespace}/${service}` && each.reason === reason,
    );
  const untilTold = async (service: string, reason: string, text: string) =>
    await waitFor(
      async () => eventsOf(service, reason),
      (events) => events.some(({ note }) => note.includes(text)),
      `event ${reason} with "${text}"`,
    );

  for (const errorClass of ['Throttled', 'Transient', 'NotFound'] as const) {
    it(`when it is ${errorClass}, and serves once the provider does`, async () => {
      outside.failure = throttled(errorClass);
      await fixture.service('web');

      const condition = await fixture.untilReason('web', 'SyncFailed');
      expect(condition.status).to.equal('False');
      expect(condition.message).to.contain('Rate exceeded').and.to.contain(`p-${fixture.id}`);
      expect(addressesOf(await fixture.getService('web'))).to.deep.equal([]);
      const told = await untilTold('web', 'SyncLoadBalancerFailed', 'Rate exceeded');
      expect(told).to.have.length(1);
      const status = await fixture.untilLoadBalancer(
        'web',
        (each) => each.status?.conditions?.some(({ reason }) => reason === 'SyncFailed') ?? false,
        'the reason',
      );
      expect(status.status?.conditions?.find(({ type }) => type === 'Programmed')?.status).to.equal('False');

      outside.failure = undefined;
      expect(await fixture.untilAddress('web')).to.equal('192.0.2.100');
      await fixture.until('web', (each) => conditionOf(each)?.status === 'True', 'to be ready');
      expect(eventsOf('web', 'SyncLoadBalancerFailed')).to.have.length(1);
    });
  }

  it('when it will not delete: with its words, after one event that deletion began', async () => {
    await fixture.service('web');
    await fixture.untilAddress('web');
    outside.refuseDeletions = true;

    await fixture.client.delete(SERVICES, fixture.namespace, 'web');

    const condition = await fixture.untilReason('web', 'SyncFailed');
    expect(condition.message).to.contain('not now');
    await untilTold('web', 'SyncLoadBalancerFailed', 'not now');
    await waitFor(
      async () => outside.refused,
      (refused) => refused > 3,
      'attempts to delete',
    );
    expect(await untilTold('web', 'DeletingLoadBalancer', '')).to.have.length(1);
    expect(eventsOf('web', 'SyncLoadBalancerFailed')).to.have.length(1);
    outside.refuseDeletions = false;
    await fixture.untilGone(SERVICES, 'web');
  });

  it('when it will not delete what another provider took over: served all the same, and looked at again', async () => {
    const second = await fixture.provider({}, '2');
    await fixture.pool(['192.0.2.110-192.0.2.119'], { providers: [second] }, '2');
    const annotations = { 'fairlead.dev/providers': `p-${fixture.id}` };
    await fixture.service('web', { provider: '', annotations });
    await fixture.untilAddress('web');
    outside.deletesForever = true;

    await fixture.patch(SERVICES, 'web', { metadata: { annotations: { 'fairlead.dev/providers': second } } });

    const service = await fixture.until(
      'web',
      (each) => conditionOf(each)?.message.includes(`web.p-${fixture.id} is being deleted`) ?? false,
      'to say what is left',
    );
    expect(addressesOf(service)).to.deep.equal(['192.0.2.110']);
    expect(conditionOf(service)?.status).to.equal('True');
    expect((await fixture.getLoadBalancer('web')).spec.addresses).to.have.length(1);

    outside.deletesForever = false;
    await fixture.untilGone(LOAD_BALANCERS, `web.p-${fixture.id}`);
    await fixture.until(
      'web',
      (each) => !(conditionOf(each)?.message.includes('is being deleted') ?? true),
      'nothing left to say',
    );
    // Events are told when there is time for it: after the status, and not twice.
    expect(await untilTold('web', 'DeletingLoadBalancer', '')).to.have.length(1);
  });

  it('when the API server refuses what is too much: in words for who owns the Service', async () => {
    const ports = Array.from({ length: 257 }, (_, index) => ({ name: `p${index}`, port: 1_000 + index }));
    await fixture.service('many', { spec: { allocateLoadBalancerNodePorts: false, ports } });

    const condition = await fixture.untilReason('many', 'TooManyPorts');
    expect(condition.message).to.contain('257').and.to.contain('256');
    await untilTold('many', 'SyncLoadBalancerFailed', 'several Services');
  });
});
