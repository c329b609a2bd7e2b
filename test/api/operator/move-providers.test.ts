import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { sharedCluster } from '../support/cluster.ts';
import { addressesOf, conditionOf, Fixture, waitFor } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

const [ONE, OTHER] = ['192.0.2.60', '192.0.2.65'];

describe('operator: a Service of several providers, and one that moves', () => {
  let operator: TestOperator;
  let fixture: Fixture;
  let one: string;
  let other: string;

  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    operator = await startTestOperator(await sharedCluster(), { agentsNamespace: fixture.namespace });
    await fixture.liveAgent();
    one = await fixture.provider();
    other = `p2-${fixture.id}`;
    await fixture.pool([`${ONE}-192.0.2.64`]);
    await fixture.pool([`${OTHER}-192.0.2.69`], { providers: [other] }, '2');
  });
  afterEach(async () => {
    try {
      await fixture.clean();
    } finally {
      await operator.stop();
    }
  });

  const ask = async (...providers: string[]) =>
    await fixture.patch(SERVICES, 'web', {
      metadata: { annotations: { 'fairlead.dev/providers': providers.join(',') } },
    });
  const makeService = async (...providers: string[]) =>
    await fixture.service('web', {
      provider: '',
      annotations: { 'fairlead.dev/providers': providers.join(',') },
    });
  const untilShown = async (address: string) =>
    await fixture.until('web', (each) => addressesOf(each).join() === address, address);
  const untilSaid = async (text: string) =>
    await fixture.until('web', (each) => conditionOf(each)?.message.includes(text) ?? false, `"${text}"`);

  it('has a LoadBalancer at each, shows the first, and loses the one that it asks for no more', async () => {
    await fixture.provider({}, '2');
    await makeService(other, one);
    await untilShown(OTHER);
    const { spec } = await fixture.untilLoadBalancer(
      'web',
      (each) => each.status?.ingress !== undefined,
      'shown',
    );
    expect(spec.addresses?.map(({ address }) => address)).to.deep.equal([ONE]);

    await ask(other);
    await fixture.untilGone(LOAD_BALANCERS, `web.${one}`);
    await untilShown(OTHER);
  });

  it('keeps what it has until the new one serves, and for as long after as the provider says', async () => {
    await fixture.patch(LOAD_BALANCER_PROVIDERS, one, { spec: { retireSeconds: 5 } });
    await makeService(one);
    await untilShown(ONE);

    await ask(other);
    await fixture.untilReason('web', 'ProviderNotFound');
    await untilSaid(`web.${one} isn't asked for any more, and goes on serving until`);
    await untilShown(ONE);

    await fixture.provider({}, '2');
    const moved = await untilShown(OTHER);
    expect(conditionOf(moved)?.status).to.equal('True');
    expect(conditionOf(moved)?.message).to.contain(`web.${one} isn't asked for any more`).and.contain('5 s');
    expect((await fixture.getLoadBalancer('web')).spec.addresses).to.have.length(1);
    await waitFor(
      async () => operator.events.map(({ type, reason }) => `${type} ${reason}`),
      (told) => told.includes('Normal Retiring') && told.includes('Normal UpdatedLoadBalancer'),
      'Events',
    );

    await fixture.patch(LOAD_BALANCER_PROVIDERS, one, { spec: { retireSeconds: 1 } });
    await fixture.untilGone(LOAD_BALANCERS, `web.${one}`);
    const done = await fixture.until(
      'web',
      (each) => !(conditionOf(each)?.message.includes("isn't asked for") ?? true),
      'nothing left to say',
    );
    expect(conditionOf(done)?.message).to.equal(`Serving at ${OTHER}.`);
  });

  it('moves back, also again and again, to the very load balancer that still serves', async () => {
    await fixture.patch(LOAD_BALANCER_PROVIDERS, one, { spec: { retireSeconds: 3600 } });
    await fixture.provider({ retireSeconds: 1 }, '2');
    await makeService(one);
    await untilShown(ONE);
    const before = await fixture.getLoadBalancer('web');

    for (const provider of [other, one, other, one, other, one]) await ask(provider);
    await ask(other);
    await untilShown(OTHER);
    await ask(one);
    await untilShown(ONE);
    await fixture.untilGone(LOAD_BALANCERS, `web.${other}`);
    const after = await fixture.getLoadBalancer('web');
    expect(after.metadata.uid).to.equal(before.metadata.uid);
    expect(after.spec.addresses).to.deep.equal(before.spec.addresses);
  });

  it('shows another that serves while the first has nothing to show, and says what the first lacks', async () => {
    await makeService(other, one);
    await untilShown(ONE);
    const { message } = await fixture.untilReason('web', 'ProviderNotFound');
    expect(message).to.contain(`There is no LoadBalancerProvider "${other}"`);
    expect(message).to.contain(`Serving at ${ONE}.`);

    await fixture.provider({}, '2');
    await untilShown(OTHER);
    await fixture.untilReason('web', 'Ready');
  });

  it('goes on showing the first, which it showed before, when its provider is deleted', async () => {
    const second = await fixture.provider({}, '2');
    await makeService(second, one);
    await untilShown(OTHER);
    await fixture.client.delete(LOAD_BALANCER_PROVIDERS, undefined, second);
    await fixture.untilReason('web', 'ProviderNotFound');
    await untilShown(OTHER);
    expect((await fixture.getLoadBalancer('web', second)).spec.addresses).to.have.length(1);

    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');
    await fixture.untilGone(LOAD_BALANCERS, `web.${second}`);
  });
});
