import { expect } from 'chai';
import { LOAD_BALANCER_PROVIDERS, NODE_FORWARDERS } from '../../../crds/resources.ts';
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

  /** Its Lease stays as it is: the agent was started, and is no more. */
  const beginAgent = async (node: string) => {
    await life.fixture.make(NODE_FORWARDERS, { metadata: { name: node }, spec: { nodeName: node } });
    await life.fixture.make(LEASES, {
      metadata: {
        name: `fairlead-agent-${node}`,
        namespace: life.fixture.namespace,
        labels: { 'fairlead.dev/component': 'agent' },
      },
      spec: { holderIdentity: node, leaseDurationSeconds: 3, renewTime: '2026-01-01T00:00:00.000000Z' },
    });
  };
  /** As an agent does that ends in order. */
  const endAgent = (node: string) =>
    life.fixture.client.delete(LEASES, life.fixture.namespace, `fairlead-agent-${node}`);
  const node = (index: number) => `node-${life.fixture.id}-${index}`;
  const instances = async () => {
    const [group] = await life.aws.targetGroups();
    const TargetGroupArn = text(group?.TargetGroupArn);
    const answer = await life.aws.peer.elb('DescribeTargetHealth', { TargetGroupArn });
    return objects(answer.TargetHealthDescriptions).length;
  };
  const serve = async () => {
    await life.stopOperator();
    await life.startOperator();
    await life.fixture.service('web', { spec: { allocateLoadBalancerNodePorts: false } });
    await life.untilReady('web');
  };

  it('are asked for on nodes that have an agent, or had one', async () => {
    await beginAgent(node(1));
    await serve();
    await waitFor(instances, (count) => count === 1, 'the node with an agent alone');
    expect((await life.fixture.getLoadBalancer('web')).status?.targets?.desired).to.equal(1);

    await beginAgent(node(2));
    await waitFor(instances, (count) => count === 2, 'both nodes');
  });

  it('are asked for on all nodes while none of them has an agent', async () => {
    await serve();
    await waitFor(instances, (count) => count === 2, 'both nodes');

    await beginAgent(node(2));
    await waitFor(instances, (count) => count === 1, 'the node with an agent alone');
  });

  it('are asked for on a node whose agent is replaced by another one, without a break', async () => {
    for (const index of [1, 2]) await beginAgent(node(index));
    await serve();
    await waitFor(instances, (count) => count === 2, 'both nodes');

    await endAgent(node(1));
    // Whoever sees this has seen that as well.
    await beginAgent(await life.aws.addNode());
    await waitFor(instances, (count) => count === 3, 'all three nodes');
    expect(life.aws.peer.calls.count({ operation: 'DeregisterTargets' })).to.equal(0);
  });
});
