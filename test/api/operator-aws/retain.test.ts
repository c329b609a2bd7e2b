import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { text } from '../../peers/aws/plain.ts';
import { waitFor } from '../operator/support/objects.ts';
import { AwsLife, hostnameOf } from './support/aws-life.ts';

describe('operator and AWS: what becomes of a load balancer when its Service goes', function () {
  this.timeout(120_000);
  let life: AwsLife;

  beforeEach(async () => {
    life = await AwsLife.start({ provider: { deletion: 'Retain' }, driftIntervalMs: 200 });
  });
  afterEach(async () => {
    await setDeletion('Delete');
    await life.end();
  });

  const provider = () => `p-${life.fixture.id}`;
  const setDeletion = async (deletion: 'Delete' | 'Retain') => {
    await life.fixture.patch(LOAD_BALANCER_PROVIDERS, provider(), { spec: { deletion } });
  };
  const orphans = async () => {
    const { status } = await life.fixture.client.get(LOAD_BALANCER_PROVIDERS, undefined, provider());
    return findCondition(status?.conditions, 'Orphans')?.message;
  };
  const arns = async () => (await life.aws.loadBalancers()).map((each) => text(each.LoadBalancerArn));
  const shared = (port: number) => ({
    annotations: { 'fairlead.dev/shared-address': 'front' },
    spec: { ports: [{ name: `p${port}`, port }] },
  });

  it('stays whole with Retain, which is told on the Service and on the provider', async () => {
    await life.fixture.service('web');
    await life.untilReady('web');
    const [arn = ''] = await arns();
    const hostname = hostnameOf(await life.fixture.getService('web'));
    const groups = await life.aws.targetGroups();
    life.aws.peer.calls.reset();

    await life.delete('web');
    await waitFor(
      async () => life.operator.events.find(({ reason }) => reason === 'RetainedLoadBalancer')?.note,
      (note) => note?.includes(arn) === true && note.includes(hostname ?? '?'),
      'the Event, with what it is found by',
    );
    expect(await life.fixture.exists(LOAD_BALANCERS, life.fixture.namespace, `web.${provider()}`)).to.equal(
      false,
    );
    const told = life.operator.events.map(({ reason }) => reason);
    expect(told).not.to.include('DeletedLoadBalancer');

    const named = await waitFor(orphans, (found) => found !== undefined, 'the orphan to be told');
    expect(named).to.contain(`${life.fixture.namespace}/web.${provider()}`);
    expect(await arns()).to.deep.equal([arn]);
    expect(await life.ports()).to.deep.equal([80]);
    expect(await life.aws.targetGroups()).to.deep.equal(groups);
    expect(life.changes()).to.deep.equal([]);
  });

  it('is taken up again by a Service of the same name, also after a restart', async () => {
    await life.fixture.service('web');
    await life.untilReady('web');
    const before = await arns();
    const hostname = hostnameOf(await life.fixture.getService('web'));
    await life.delete('web');
    await life.stopOperator();
    await life.startOperator();
    life.aws.peer.calls.reset();

    await life.fixture.service('web');
    await life.untilReady('web');
    expect(hostnameOf(await life.fixture.getService('web'))).to.equal(hostname);
    expect(await arns()).to.deep.equal(before);
    expect(life.aws.peer.calls.count({ operation: /^CreateL/ })).to.equal(0);
    const tags = await life.tagsOf(before[0] ?? '');
    const { uid } = (await life.fixture.getService('web')).metadata;
    expect(tags['fairlead.dev/service-uid']).to.equal(uid);
    await waitFor(
      () => life.aws.targetGroups(),
      (groups) => groups.length === 1,
      'one target group',
    );
    await waitFor(orphans, (found) => found === undefined, 'no orphan to be told any more');
  });

  it('leaves its port to the next Service with the same shared-address, which is never refused', async () => {
    await life.fixture.service('old', shared(80));
    await life.untilReady('old');
    await life.fixture.service('beside', shared(443));
    await life.untilReady('beside');
    const before = await arns();
    await life.delete('old');
    expect(await life.ports()).to.deep.equal([80, 443]);

    await life.fixture.service('next', shared(80));
    await life.untilReady('next');
    expect(await arns()).to.deep.equal(before);
    expect(await life.ports()).to.deep.equal([80, 443]);
    const [loadBalancer = {}] = await life.aws.loadBalancers();
    for (const listener of await life.aws.listeners(loadBalancer)) {
      const tags = await life.tagsOf(text(listener.ListenerArn));
      const name = text(listener.Port) === '80' ? 'next' : 'beside';
      expect(tags['fairlead.dev/load-balancer']).to.equal(`${life.fixture.namespace}/${name}.${provider()}`);
    }
    expect(hostnameOf(await life.fixture.getService('next'))).to.equal(
      hostnameOf(await life.fixture.getService('beside')),
    );
  });

  it('goes as an orphan once the provider deletes, and not a moment before', async () => {
    for (const name of ['gone', 'serving']) await life.fixture.service(name);
    for (const name of ['gone', 'serving']) await life.untilReady(name);
    await life.delete('gone');
    await waitFor(orphans, (found) => found?.includes('/gone.') === true, 'the orphan to be told');
    expect(await arns()).to.have.length(2);

    await setDeletion('Delete');
    await waitFor(arns, (found) => found.length === 1, 'the orphan to be gone');
    await waitFor(orphans, (found) => found === undefined, 'nothing to be told any more');
    expect(await life.aws.targetGroups()).to.have.length(1);
    await life.untilReady('serving');
    expect(await life.ports()).to.deep.equal([80]);
  });

  it('goes with its Service under Delete, which is told by name', async () => {
    await setDeletion('Delete');
    await life.fixture.service('web');
    await life.untilReady('web');
    await life.fixture.client.delete(SERVICES, life.fixture.namespace, 'web');
    await life.fixture.untilGone(SERVICES, 'web');
    expect(await arns()).to.deep.equal([]);
    const told = () => life.operator.events.map(({ reason }) => reason);
    await waitFor(
      async () => told(),
      (reasons) => reasons.includes('DeletedLoadBalancer'),
      'the Event',
    );
    expect(told()).not.to.include('RetainedLoadBalancer');
  });
});
