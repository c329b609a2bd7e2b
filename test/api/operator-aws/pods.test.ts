import { expect } from 'chai';
import { object, objects, text } from '../../peers/aws/plain.ts';
import { waitFor } from '../operator/support/objects.ts';
import { AwsLife } from './support/aws-life.ts';
import { Pods } from './support/pods.ts';

describe('operator and AWS: pods as targets', function () {
  this.timeout(180_000);
  let life: AwsLife;

  beforeEach(async () => {
    life = await AwsLife.start({
      provider: { targets: { mode: 'Pod', drainSeconds: 0 } },
      times: { initialMs: 1_000 },
    });
  });
  afterEach(() => life.end());

  const gate = () => `target-health.fairlead.dev/web.p-${life.fixture.id}`;
  const begin = async (options: { gate?: string } = {}) => {
    const pods = new Pods(life.fixture, 'web', options);
    await life.fixture.service('web');
    await pods.begin();
    return pods;
  };
  const describeTargets = async () => {
    const [group] = await life.aws.targetGroups();
    const TargetGroupArn = text(group?.TargetGroupArn);
    const answer = await life.aws.peer.elb('DescribeTargetHealth', { TargetGroupArn });
    return objects(answer.TargetHealthDescriptions);
  };
  const targets = async () =>
    (await describeTargets()).map((each) => {
      const { Id, Port } = object(each.Target);
      return `${text(Id)}:${text(Port)}`;
    });
  const health = async () => (await describeTargets()).map((each) => text(object(each.TargetHealth).State));
  const untilTargets = (...wanted: string[]) =>
    waitFor(
      async () => (await targets()).sort(),
      (found) => found.join() === wanted.join(),
      `targets ${wanted.join()}`,
    );

  it('come and go by their own addresses and ports', async () => {
    const pods = await begin();
    await pods.add('one', '172.16.1.11');
    await pods.add('two', '172.16.1.12');
    await life.untilReady('web');
    await untilTargets('172.16.1.11:8080', '172.16.1.12:8080');
    await pods.remove('one');
    await untilTargets('172.16.1.12:8080');
  });

  it('that wait for it become ready only when AWS finds them healthy: a rollout waits', async () => {
    const pods = await begin({ gate: gate() });
    life.aws.peer.setHealth('172.16.1.12', 'unhealthy');
    await pods.add('old', '172.16.1.11');
    await pods.untilReady('old');
    await pods.add('new', '172.16.1.12');
    await untilTargets('172.16.1.11:8080', '172.16.1.12:8080');
    // As a Deployment with maxUnavailable 0: the old one stays until the new one is ready.
    const looksBefore = life.aws.peer.calls.count({ operation: 'DescribeTargetHealth' });
    await waitFor(
      async () => life.aws.peer.calls.count({ operation: 'DescribeTargetHealth' }),
      (count) => count > looksBefore,
      'AWS to be asked',
    );
    expect(await pods.isReady('new')).to.equal(false);

    life.aws.peer.setHealth('172.16.1.12', undefined);
    await pods.untilReady('new');
    await pods.remove('old');
    await untilTargets('172.16.1.12:8080');
    expect(await pods.isReady('new')).to.equal(true);
  });

  it('that wait for it are waited for by an operator that is started anew, too', async () => {
    const pods = await begin({ gate: gate() });
    await pods.add('old', '172.16.1.11');
    await pods.untilReady('old');
    life.aws.peer.setHealth('172.16.1.12', 'unhealthy');
    await pods.add('new', '172.16.1.12');
    await untilTargets('172.16.1.11:8080', '172.16.1.12:8080');
    await life.untilReady('web');
    await life.stopOperator();
    await life.startOperator();
    await life.untilReady('web');
    life.aws.peer.setHealth('172.16.1.12', undefined);
    await pods.untilReady('new');
  });

  it('that wait for it are waited for, though the operator died before it knew of them', async () => {
    const pods = await begin({ gate: gate() });
    await pods.add('old', '172.16.1.11');
    await pods.untilReady('old');
    life.aws.peer.setHealth('172.16.1.12', 'unhealthy');
    await life.stopOperator();
    // Registered by one of which nothing is left but that: no digest, no memory.
    const [group] = await life.aws.targetGroups();
    await life.aws.peer.elb('RegisterTargets', {
      TargetGroupArn: text(group?.TargetGroupArn),
      Targets: [{ Id: '172.16.1.12', Port: '8080', AvailabilityZone: 'all' }],
    });
    await pods.add('new', '172.16.1.12');
    await waitFor(health, (found) => found.includes('unhealthy'), 'AWS to have found it unhealthy');
    life.aws.peer.calls.reset();
    await life.startOperator();
    await waitFor(
      async () => life.aws.peer.calls.count({ operation: 'DescribeTargetHealth' }),
      (count) => count > 0,
      'AWS to be asked',
    );
    life.aws.peer.setHealth('172.16.1.12', undefined);
    await pods.untilReady('new');
  });
});
