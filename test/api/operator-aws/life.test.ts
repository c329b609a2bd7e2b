import { expect } from 'chai';
import { findCondition } from '../../../kube/conditions.ts';
import { NODES, SERVICES } from '../../../kube/resources.ts';
import { createProviders } from '../../../providers/registry.ts';
import { object, text } from '../../peers/aws/plain.ts';
import { Fixture, waitFor } from '../operator/support/objects.ts';
import { startTestOperator, type TestOperator } from '../operator/support/test-operator.ts';
import { sharedCluster } from '../support/cluster.ts';
import { AwsCluster } from './support/aws-cluster.ts';
import { withQuickLooks } from './support/quick-looks.ts';

describe('operator and AWS: the life of a load balancer', function () {
  this.timeout(180_000);
  let operator: TestOperator;
  let fixture: Fixture;
  let aws: AwsCluster;

  const start = async (providers: typeof createProviders = withQuickLooks) => {
    const agentsNamespace = fixture.namespace;
    operator = await startTestOperator(await sharedCluster(), { agentsNamespace, providers });
  };
  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    aws = await AwsCluster.start(fixture, { times: { initialMs: 200 } });
    await aws.makeProvider({}, fixture.namespace);
    await start();
  });
  afterEach(async () => {
    try {
      await fixture.clean();
    } finally {
      await operator.stop();
      await aws.stop();
    }
  });

  const untilReady = (service: string) =>
    fixture.untilLoadBalancer(
      service,
      ({ status }) =>
        ['Ready', 'TargetsHealthy'].every(
          (type) => findCondition(status?.conditions, type)?.status === 'True',
        ),
      'ready, with healthy targets',
    );
  const quiet = async () => {
    aws.peer.calls.reset();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(aws.countCalls().text).to.equal('{}');
  };

  it('begins with a hostname as EXTERNAL-IP', async () => {
    await fixture.service('web');
    const service = await fixture.until(
      'web',
      (each) => each.status?.loadBalancer?.ingress?.[0]?.hostname !== undefined,
      'a hostname',
    );

    const [loadBalancer] = await aws.loadBalancers();
    expect(service.status?.loadBalancer?.ingress?.[0]?.hostname).to.equal(text(loadBalancer?.DNSName));
    await untilReady('web');
    await quiet();
  });

  it('takes at most 8 calls of ELBv2, looks at its health among them, and 4 of EC2', async () => {
    // As seldom as they are where things take their time.
    await operator.stop();
    await start(createProviders);
    // What is made, and read, once for the whole cluster.
    await fixture.service('first');
    await untilReady('first');
    aws.peer.calls.reset();

    await fixture.service('web');
    await untilReady('web');

    const { ec2, looks, text: calls, work } = aws.countCalls();
    expect(work + looks, calls).to.be.at.most(8);
    expect(ec2, calls).to.be.at.most(4);
  });

  it('asks nothing in the steady state, whatever else is written on the Service', async () => {
    await fixture.service('web');
    await untilReady('web');
    aws.peer.calls.reset();

    await fixture.patch(SERVICES, 'web', { metadata: { annotations: { 'example.com/note': 'hello' } } });

    await quiet();
  });

  it('only verifies who owns what after a restart, and changes nothing', async () => {
    for (const name of ['one', 'two', 'three']) await fixture.service(name);
    for (const name of ['one', 'two', 'three']) await untilReady(name);
    await operator.stop();
    aws.peer.calls.reset();

    await start();
    await new Promise((resolve) => setTimeout(resolve, 2_000));

    for (const name of ['one', 'two', 'three']) {
      const { status } = await fixture.getLoadBalancer(name);
      expect(findCondition(status?.conditions, 'TargetsHealthy')?.status, name).to.equal('True');
      expect(status?.targets).to.deep.equal({ desired: 2, healthy: 2 });
    }
    const operations = Object.keys(aws.peer.calls.byOperation());
    expect(operations.filter((operation) => !operation.startsWith('Describe'))).to.deep.equal([]);
    expect(aws.peer.calls.count()).to.be.at.most(6);
  });

  it('follows ports: one more, another one, and one less', async () => {
    await fixture.service('web');
    await untilReady('web');
    const ports = (numbers: number[]) => ({
      spec: { ports: numbers.map((port) => ({ name: `p${port}`, port })) },
    });
    const untilListening = (numbers: number[]) =>
      waitFor(
        async () => {
          const [loadBalancer = {}] = await aws.loadBalancers();
          return (await aws.listeners(loadBalancer))
            .map(({ Port }) => Number(text(Port)))
            .sort((a, b) => a - b);
        },
        (found) => found.join() === numbers.join(),
        `listeners ${numbers.join()}`,
      );

    await fixture.patch(SERVICES, 'web', ports([80, 443]));
    await untilListening([80, 443]);
    await fixture.patch(SERVICES, 'web', ports([443, 8080]));
    await untilListening([443, 8080]);
    await fixture.patch(SERVICES, 'web', ports([443]));
    await untilListening([443]);
    await waitFor(
      () => aws.targetGroups(),
      (groups) => groups.length === 1,
      'no target group to be left over',
    );
  });

  it('ends with nothing left: no load balancer, target group, security group or rule', async () => {
    await fixture.service('web', { spec: { loadBalancerSourceRanges: ['192.0.2.0/24'] } });
    await untilReady('web');
    expect(await aws.loadBalancers()).to.have.length(1);

    await fixture.client.delete(SERVICES, fixture.namespace, 'web');
    await fixture.untilGone(SERVICES, 'web');

    expect(await aws.loadBalancers()).to.deep.equal([]);
    expect(await aws.targetGroups()).to.deep.equal([]);
    await waitFor(
      () => aws.securityGroups(),
      (groups) => groups.length === 0,
      'the security groups to be gone',
    );
  });

  it('goes on as it is, and says why, when an annotation can not be read', async () => {
    await fixture.service('web');
    await untilReady('web');
    const hostname = (await fixture.getService('web')).status?.loadBalancer?.ingress?.[0]?.hostname;
    const key = 'service.beta.kubernetes.io/aws-load-balancer-healthcheck-interval';
    await fixture.patch(SERVICES, 'web', { metadata: { annotations: { [key]: 'often' } } });

    const condition = await fixture.untilReason('web', 'InvalidAnnotation');
    expect(condition.message).to.contain(key).and.to.contain('a number from 5 to 300');
    const { status } = await fixture.getService('web');
    expect(status?.loadBalancer?.ingress?.[0]?.hostname).to.equal(hostname);
    await quiet();
  });

  it('takes a node in by one call and no look, and lets one go by one', async () => {
    await fixture.service('web');
    await untilReady('web');
    aws.peer.calls.reset();

    const node = await aws.addNode();
    await waitFor(
      async () => aws.peer.calls.count({ operation: 'RegisterTargets' }),
      (count) => count > 0,
      'the node to be registered',
    );
    expect(aws.countCalls().work, aws.countCalls().text).to.equal(1);
    await untilReady('web');
    aws.peer.calls.reset();

    await fixture.client.patch(
      NODES,
      undefined,
      node,
      { spec: { taints: [{ key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }] } },
      { contentType: 'merge' },
    );
    await waitFor(
      async () => aws.peer.calls.count({ operation: 'DeregisterTargets' }),
      (count) => count > 0,
      'the node to be drained',
    );
    expect(aws.countCalls().work, aws.countCalls().text).to.equal(1);
  });

  it('moves to another scheme before the old load balancer goes', async () => {
    await fixture.service('web');
    await untilReady('web');
    const [before] = await aws.loadBalancers();

    aws.peer.times.provisioningMs = 1_000;
    const names: string[] = [];
    const watching = new AbortController();
    const watched = (async () => {
      while (!watching.signal.aborted) {
        const { status } = await fixture.getService('web');
        const name = status?.loadBalancer?.ingress?.[0]?.hostname ?? '';
        if (names.at(-1) !== name) names.push(name);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    // Where the test fails before it is awaited, it ends with the Service.
    watched.catch(() => {});

    await fixture.patch(SERVICES, 'web', {
      metadata: { annotations: { 'fairlead.dev/scheme': 'Internal' } },
    });

    const after = await waitFor(
      () => aws.loadBalancers(),
      (found) => found.length === 1 && text(found[0]?.Scheme) === 'internal',
      'only the internal one to be left',
    );
    expect(text(after[0]?.LoadBalancerName)).to.not.equal(text(before?.LoadBalancerName));
    expect(text(object(after[0]?.State).Code)).to.equal('active');
    await fixture.until(
      'web',
      (each) => each.status?.loadBalancer?.ingress?.[0]?.hostname === text(after[0]?.DNSName),
      'the new name',
    );
    await waitFor(
      async () => names.at(-1),
      (name) => name === text(after[0]?.DNSName),
      'the watch to have seen it',
    );
    watching.abort();
    await watched;
    expect(names).to.deep.equal([text(before?.DNSName), text(after[0]?.DNSName)]);
  });
});
