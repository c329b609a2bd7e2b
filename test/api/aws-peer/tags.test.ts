import {
  AddTagsCommand,
  DeleteLoadBalancerCommand,
  DescribeTagsCommand,
  RemoveTagsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect } from 'chai';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import { ADMINISTRATOR } from '../../peers/aws/rights/evaluate-policy.ts';
import { type SeededNetwork, seedNetwork } from '../../peers/aws/seed-network.ts';
import { startAws } from '../../peers/aws/start-aws.ts';
import { type Clients, clientsOf, createLoadBalancer, createTargetGroup, refused } from './support.ts';

describe('stand-in for AWS: tags', () => {
  let peer: AwsPeer;
  let network: SeededNetwork;
  let clients: Clients;

  before(async () => {
    peer = await startAws({ policy: ADMINISTRATOR });
    network = await seedNetwork(peer, { instances: 0 });
    clients = clientsOf(peer);
  });

  after(() => peer?.stop());

  const describeTags = (...ResourceArns: string[]) =>
    clients.elb.send(new DescribeTagsCommand({ ResourceArns }));

  async function tagsOf(arn: string): Promise<Record<string, string | undefined>> {
    const { TagDescriptions } = await describeTags(arn);
    return Object.fromEntries((TagDescriptions?.[0]?.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  }

  const numbered = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ Key: `key-${index}`, Value: String(index) }));

  it('tells those of several resources at once, each by its ARN', async () => {
    const Tags = [{ Key: 'owner', Value: 'a & b <c>' }];
    const { LoadBalancerArn } = await createLoadBalancer(clients, network, { Tags });
    const { TargetGroupArn } = await createTargetGroup(clients, network, { Tags: [] });
    const { TagDescriptions } = await describeTags(LoadBalancerArn, TargetGroupArn);

    expect(TagDescriptions).to.deep.equal([
      { ResourceArn: LoadBalancerArn, Tags },
      { ResourceArn: TargetGroupArn, Tags: [] },
    ]);
  });

  it('has room for 50, changes them and takes them away', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network, { Tags: numbered(12) });
    const add = (Tags: { Key: string; Value: string }[]) =>
      clients.elb.send(new AddTagsCommand({ ResourceArns: [LoadBalancerArn], Tags }));
    await add(numbered(50));
    await add([{ Key: 'key-0', Value: 'changed' }]);
    const over = await refused(add([{ Key: 'one-more', Value: '' }]));
    await clients.elb.send(
      new RemoveTagsCommand({ ResourceArns: [LoadBalancerArn], TagKeys: numbered(48).map(({ Key }) => Key) }),
    );

    expect(over).to.include({ code: 'TooManyTags' });
    expect(await tagsOf(LoadBalancerArn)).to.deep.equal({ 'key-48': '48', 'key-49': '49' });
  });

  it('refuses more than 20 ARNs in one call', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);

    await describeTags(...new Array<string>(20).fill(LoadBalancerArn));
    expect(await refused(describeTags(...new Array<string>(21).fill(LoadBalancerArn)))).to.include({
      code: 'ValidationError',
    });
  });

  it('knows none of what is gone', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network, { Tags: numbered(1) });
    const kept = await createLoadBalancer(clients, network, { Tags: numbered(1) });
    const { TargetGroupArn } = await createTargetGroup(clients, network);
    await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));

    expect(await refused(describeTags(kept.LoadBalancerArn, LoadBalancerArn))).to.include({
      code: 'LoadBalancerNotFound',
    });
    expect(await refused(describeTags(TargetGroupArn.replace(/.{4}$/, 'ffff')))).to.include({
      code: 'TargetGroupNotFound',
    });
  });
});
