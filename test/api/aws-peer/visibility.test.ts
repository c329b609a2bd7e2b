import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
} from '@aws-sdk/client-ec2';
import { DescribeLoadBalancersCommand, DescribeTagsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect } from 'chai';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import { objects } from '../../peers/aws/plain.ts';
import { ADMINISTRATOR } from '../../peers/aws/rights/evaluate-policy.ts';
import { type SeededNetwork, seedNetwork } from '../../peers/aws/seed-network.ts';
import { startAws } from '../../peers/aws/start-aws.ts';
import { type Clients, clientsOf, createLoadBalancer, refused } from './support.ts';

describe('stand-in for AWS: reads that lag behind writes', () => {
  let peer: AwsPeer;
  let network: SeededNetwork;
  let clients: Clients;

  before(async () => {
    peer = await startAws({ policy: ADMINISTRATOR });
    network = await seedNetwork(peer, { instances: 0 });
    clients = clientsOf(peer);
  });

  beforeEach(() => {
    peer.times.visibleAfterMs = 3_600_000;
  });

  after(() => peer?.stop());

  it('hide a load balancer for the time that the test chooses, from all but calls by hand', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const all = async () =>
      (await clients.elb.send(new DescribeLoadBalancersCommand({}))).LoadBalancers ?? [];
    const one = () =>
      clients.elb.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [LoadBalancerArn] }));
    const tags = () => clients.elb.send(new DescribeTagsCommand({ ResourceArns: [LoadBalancerArn] }));
    const hidden = [await refused(one()), await refused(tags())].map(({ code }) => code);
    const listed = await all();
    const byHand = objects((await peer.elb('DescribeLoadBalancers')).LoadBalancers);
    peer.times.visibleAfterMs = 0;

    expect(hidden).to.deep.equal(['LoadBalancerNotFound', 'LoadBalancerNotFound']);
    expect([listed.length, byHand.length, (await all()).length]).to.deep.equal([0, 1, 1]);
    expect((await one()).LoadBalancers).to.have.lengthOf(1);
  });

  it('give the same load balancer for its name all the same', async () => {
    const first = await createLoadBalancer(clients, network, { Name: 'same' });

    const { LoadBalancerArn } = await createLoadBalancer(clients, network, { Name: 'same' });
    expect(LoadBalancerArn).to.equal(first.LoadBalancerArn);
  });

  it('hide a security group, which takes no rules meanwhile', async () => {
    const answer = await clients.ec2.send(
      new CreateSecurityGroupCommand({ GroupName: 'new', Description: 'new', VpcId: network.vpcId }),
    );
    const GroupId = answer.GroupId ?? '';
    const describeGroup = () => clients.ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [GroupId] }));
    const authorize = () =>
      clients.ec2.send(
        new AuthorizeSecurityGroupIngressCommand({
          GroupId,
          IpPermissions: [
            { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
          ],
        }),
      );
    const hidden = [await refused(describeGroup()), await refused(authorize())].map(({ code }) => code);
    peer.times.visibleAfterMs = 0;
    await authorize();

    expect(hidden).to.deep.equal(['InvalidGroup.NotFound', 'InvalidGroup.NotFound']);
    expect((await describeGroup()).SecurityGroups?.[0]?.IpPermissions).to.have.lengthOf(1);
  });
});
