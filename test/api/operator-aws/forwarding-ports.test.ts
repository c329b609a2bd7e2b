import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS } from '../../../crds/resources.ts';
import { LEASES } from '../../../kube/resources.ts';
import { objects, text } from '../../peers/aws/plain.ts';
import { waitFor } from '../operator/support/objects.ts';
import { AwsLife } from './support/aws-life.ts';

describe('operator and AWS: forwarding ports', function () {
  this.timeout(120_000);
  let life: AwsLife;

  beforeEach(async () => {
    life = await AwsLife.start();
    const { id } = life.fixture;
    await life.fixture.portPool({ forwardingPorts: ['27100-27150'] });
    await life.fixture.patch(LOAD_BALANCER_PROVIDERS, `p-${id}`, {
      spec: { targets: { mode: 'ForwardingPort' } },
    });
  });
  afterEach(() => life.end());

  const beginAgent = (index: number) => {
    const node = `node-${life.fixture.id}-${index}`;
    return life.fixture.make(LEASES, {
      metadata: {
        name: `fairlead-agent-${node}`,
        namespace: life.fixture.namespace,
        labels: { 'fairlead.dev/component': 'agent' },
      },
      // It was started, and stopped: forwarding goes on.
      spec: { holderIdentity: node, leaseDurationSeconds: 3, renewTime: '2026-01-01T00:00:00.000000Z' },
    });
  };
  const instances = async () => {
    const [group] = await life.aws.targetGroups();
    const TargetGroupArn = text(group?.TargetGroupArn);
    const answer = await life.aws.peer.elb('DescribeTargetHealth', { TargetGroupArn });
    return objects(answer.TargetHealthDescriptions).length;
  };

  it('are asked for on nodes that have an agent, or had one', async () => {
    await beginAgent(1);
    await life.stopOperator();
    await life.startOperator();
    await life.fixture.service('web', { spec: { allocateLoadBalancerNodePorts: false } });
    await life.untilReady('web');
    await waitFor(instances, (count) => count === 1, 'the node with an agent alone');
    expect((await life.fixture.getLoadBalancer('web')).status?.targets?.desired).to.equal(1);

    await beginAgent(2);
    await waitFor(instances, (count) => count === 2, 'both nodes');
  });
});
