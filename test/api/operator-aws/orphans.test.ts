import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS, LOAD_BALANCERS } from '../../../crds/resources.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { SERVICES } from '../../../kube/resources.ts';
import { text } from '../../peers/aws/plain.ts';
import { waitFor } from '../operator/support/objects.ts';
import { AwsLife } from './support/aws-life.ts';

describe('operator and AWS: what has our tags and is nobody’s', function () {
  this.timeout(120_000);
  let life: AwsLife;

  beforeEach(async () => {
    life = await AwsLife.start({
      provider: { drift: { policy: 'Report', intervalSeconds: 300 } },
      driftIntervalMs: 200,
    });
  });
  afterEach(() => life.end());

  const provider = () => `p-${life.fixture.id}`;
  const orphans = async () => {
    const { status } = await life.fixture.client.get(LOAD_BALANCER_PROVIDERS, undefined, provider());
    return findCondition(status?.conditions, 'Orphans')?.message;
  };
  /** Whole rounds: each one lists everything. */
  const untilLookedAt = async (rounds: number) => {
    life.aws.peer.calls.reset();
    await waitFor(
      async () => life.aws.peer.calls.count({ operation: 'DescribeListeners' }),
      (count) => count >= rounds,
      'rounds of the drift watch',
      60_000,
    );
  };
  const make = (name: string, port: number) =>
    life.fixture.service(name, {
      annotations: { 'fairlead.dev/shared-address': 'front' },
      spec: { ports: [{ name: 'http', port }] },
    });
  const arnOf = async (port: number) => {
    const [loadBalancer = {}] = await life.aws.loadBalancers();
    const listeners = await life.aws.listeners(loadBalancer);
    return text(listeners.find(({ Port }) => text(Port) === String(port))?.ListenerArn);
  };

  it('goes though nobody of the operator saw its Service go', async () => {
    for (const name of ['lost', 'serving']) await life.fixture.service(name);
    for (const name of ['lost', 'serving']) await life.untilReady(name);
    await life.stopOperator();
    const { client, namespace } = life.fixture;
    await client.delete(SERVICES, namespace, 'lost');
    await life.fixture.patch(SERVICES, 'lost', { metadata: { finalizers: null } });
    await client.delete(LOAD_BALANCERS, namespace, `lost.${provider()}`);
    await life.startOperator();

    await waitFor(
      () => life.aws.loadBalancers(),
      (found) => found.length === 1,
      'only what serves to be left',
    );
    // It goes last, and nothing is told of what goes within one look.
    await waitFor(
      () => life.aws.targetGroups(),
      (found) => found.length === 1,
      'only the target group of what serves to be left',
    );
    await waitFor(orphans, (found) => found === undefined, 'nothing more to be told');
    await life.untilReady('serving');
  });

  for (const name of ['nobody', 'gone']) {
    it(`never is what serves, though its tag says that it is ${name}'s`, async () => {
      if (name === 'gone') {
        await life.fixture.patch(LOAD_BALANCER_PROVIDERS, provider(), { spec: { deletion: 'Retain' } });
        await make('gone', 8080);
        await life.untilReady('gone');
      }
      await make('one', 80);
      await make('two', 443);
      for (const each of ['one', 'two']) await life.untilReady(each);
      if (name === 'gone') await life.delete('gone');
      const before = [await arnOf(80), await arnOf(443)];
      await life.aws.peer.elb('AddTags', {
        ResourceArns: [before[0] ?? ''],
        Tags: [
          { Key: 'fairlead.dev/load-balancer', Value: `${life.fixture.namespace}/${name}.${provider()}` },
        ],
      });
      await life.fixture.patch(LOAD_BALANCER_PROVIDERS, provider(), { spec: { deletion: 'Delete' } });

      await untilLookedAt(3);
      expect([await arnOf(80), await arnOf(443)]).to.deep.equal(before);
    });
  }
});
