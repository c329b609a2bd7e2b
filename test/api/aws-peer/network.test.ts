import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2';
import {
  DeleteLoadBalancerCommand,
  DescribeLoadBalancersCommand,
  SetIpAddressTypeCommand,
  SetSecurityGroupsCommand,
  SetSubnetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect } from 'chai';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import { ADMINISTRATOR } from '../../peers/aws/rights/evaluate-policy.ts';
import { allocateAddress, type SeededNetwork, seedNetwork } from '../../peers/aws/seed-network.ts';
import { startAws } from '../../peers/aws/start-aws.ts';
import { type Clients, clientsOf, createLoadBalancer, freshName, refused } from './support.ts';

describe('stand-in for AWS: networks', () => {
  let peer: AwsPeer;
  let network: SeededNetwork;
  let clients: Clients;

  before(async () => {
    peer = await startAws({ policy: ADMINISTRATOR });
    network = await seedNetwork(peer, { cluster: 'blue', zones: 3, instances: 4 });
    clients = clientsOf(peer);
  });

  afterEach(() => {
    peer.times.securityGroupReleaseMs = 0;
  });

  after(() => peer?.stop());

  async function zonesOf(LoadBalancerArn: string) {
    const answer = await clients.elb.send(
      new DescribeLoadBalancersCommand({ LoadBalancerArns: [LoadBalancerArn] }),
    );
    const zones = answer.LoadBalancers?.[0]?.AvailabilityZones ?? [];
    return zones.map(({ SubnetId, ZoneName, LoadBalancerAddresses }) => ({
      SubnetId,
      ZoneName,
      LoadBalancerAddresses: LoadBalancerAddresses ?? [],
    }));
  }

  async function createGroup(): Promise<string> {
    const answer = await clients.ec2.send(
      new CreateSecurityGroupCommand({
        GroupName: freshName('group'),
        Description: 'test',
        VpcId: network.vpcId,
      }),
    );
    return answer.GroupId ?? '';
  }

  const deleteGroup = (GroupId: string) => clients.ec2.send(new DeleteSecurityGroupCommand({ GroupId }));

  it('has subnets of both roles in each zone, found by their tags', async () => {
    const find = async (role: string) => {
      const Filters = [
        { Name: `tag:kubernetes.io/role/${role}`, Values: ['1'] },
        { Name: 'tag-key', Values: ['kubernetes.io/cluster/blue'] },
      ];
      const { Subnets = [] } = await clients.ec2.send(new DescribeSubnetsCommand({ Filters }));
      return Subnets.map(({ SubnetId, AvailabilityZone }) => [SubnetId, AvailabilityZone]);
    };

    expect(await find('elb')).to.have.deep.members(network.publicSubnets.map(({ id, zone }) => [id, zone]));
    expect(await find('internal-elb')).to.have.deep.members(
      network.internalSubnets.map(({ id, zone }) => [id, zone]),
    );
    expect(new Set(network.publicSubnets.map(({ zone }) => zone))).to.have.lengthOf(3);
  });

  it('has running instances spread over the zones, each with its address and the security group of nodes', async () => {
    const InstanceIds = network.instances.map(({ id }) => id);
    const answer = await clients.ec2.send(new DescribeInstancesCommand({ InstanceIds }));
    const found = (answer.Reservations ?? []).flatMap(({ Instances = [] }) => Instances);

    expect(
      found.map(({ InstanceId, PrivateIpAddress }) => [InstanceId, PrivateIpAddress]),
    ).to.have.deep.members(network.instances.map(({ id, address }) => [id, address]));
    expect(found.map(({ State }) => State?.Name)).to.deep.equal(['running', 'running', 'running', 'running']);
    expect(found[0]?.SecurityGroups?.map(({ GroupId }) => GroupId)).to.deep.equal([network.securityGroupId]);
    expect(new Set(network.instances.map(({ zone }) => zone))).to.have.lengthOf(3);
    for (const { id, zone, providerID } of network.instances)
      expect(providerID).to.equal(`aws:///${zone}/${id}`);
  });

  it('shows the elastic IPs of subnet mappings, each used once', async () => {
    const [one, two] = [await allocateAddress(peer), await allocateAddress(peer)];
    const [first, second] = network.publicSubnets;
    const SubnetMappings = [
      { SubnetId: first?.id, AllocationId: one.allocationId },
      { SubnetId: second?.id, AllocationId: two.allocationId },
    ];
    const { LoadBalancerArn } = await createLoadBalancer(clients, network, { SubnetMappings });
    const taken = await refused(createLoadBalancer(clients, network, { SubnetMappings }));
    const zones = await zonesOf(LoadBalancerArn);
    await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
    await createLoadBalancer(clients, network, { SubnetMappings });

    expect(taken).to.include({ code: 'ResourceInUse' });
    expect(zones.map(({ LoadBalancerAddresses }) => LoadBalancerAddresses)).to.deep.equal([
      [{ IpAddress: one.address, AllocationId: one.allocationId }],
      [{ IpAddress: two.address, AllocationId: two.allocationId }],
    ]);
  });

  it('refuses elastic IPs that do not exist, and those of an internal load balancer', async () => {
    const [subnet] = network.publicSubnets;
    const { allocationId } = await allocateAddress(peer);
    const create = (AllocationId: string, Scheme?: 'internal') =>
      createLoadBalancer(clients, network, {
        SubnetMappings: [{ SubnetId: subnet?.id, AllocationId }],
        ...(Scheme !== undefined && { Scheme }),
      });

    expect(await refused(create('eipalloc-0123456789abcdef0'))).to.include({ code: 'AllocationIdNotFound' });
    expect(await refused(create(allocationId, 'internal'))).to.include({
      code: 'InvalidConfigurationRequest',
    });
  });

  it('shows private addresses of an internal load balancer, and refuses those outside of the subnet', async () => {
    const [subnet] = network.internalSubnets;
    const prefix = subnet?.cidr.split('.').slice(0, 3).join('.');
    const create = (PrivateIPv4Address: string) =>
      createLoadBalancer(clients, network, {
        Scheme: 'internal',
        SubnetMappings: [{ SubnetId: subnet?.id, PrivateIPv4Address }],
      });
    const { LoadBalancerArn } = await create(`${prefix}.77`);

    expect(
      (await zonesOf(LoadBalancerArn)).map(({ LoadBalancerAddresses }) => LoadBalancerAddresses),
    ).to.deep.equal([[{ PrivateIPv4Address: `${prefix}.77` }]]);
    expect(await refused(create('192.0.2.1'))).to.include({ code: 'InvalidConfigurationRequest' });
  });

  it('refuses subnets without eight free addresses, unknown ones, and two in one zone', async () => {
    const [first, second] = network.publicSubnets;
    const [sameZone] = network.internalSubnets;
    const create = (...Subnets: (string | undefined)[]) =>
      createLoadBalancer(clients, network, { Subnets: Subnets.filter((id) => id !== undefined) });
    peer.setFreeAddresses(second?.id ?? '', 3);
    const full = await refused(create(first?.id, second?.id));
    const { Subnets } = await clients.ec2.send(new DescribeSubnetsCommand({ SubnetIds: [second?.id ?? ''] }));
    peer.setFreeAddresses(second?.id ?? '', 8);
    await create(first?.id, second?.id);

    expect(full).to.include({ code: 'InvalidSubnet' });
    expect(full.message).to.include(second?.id);
    expect(Subnets?.[0]?.AvailableIpAddressCount).to.equal(3);
    expect(await refused(create('subnet-0123456789abcdef0'))).to.include({ code: 'SubnetNotFound' });
    expect(await refused(create(first?.id, sameZone?.id))).to.include({
      code: 'InvalidConfigurationRequest',
    });
  });

  it('takes an address of each subnet for each load balancer', async () => {
    const [, , third] = network.publicSubnets;
    const free = async () => {
      const { Subnets } = await clients.ec2.send(
        new DescribeSubnetsCommand({ SubnetIds: [third?.id ?? ''] }),
      );
      return Subnets?.[0]?.AvailableIpAddressCount ?? 0;
    };
    const before = await free();
    const { LoadBalancerArn } = await createLoadBalancer(clients, network, { Subnets: [third?.id ?? ''] });
    const during = await free();
    await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));

    expect([before - during, await free()]).to.deep.equal([1, before]);
  });

  it('changes the subnets of a load balancer, to one too', async () => {
    const [first, second, third] = network.publicSubnets.map(({ id }) => id);
    const { LoadBalancerArn } = await createLoadBalancer(clients, network, { Subnets: [first ?? ''] });
    const set = async (...Subnets: (string | undefined)[]) => {
      const ids = Subnets.filter((id) => id !== undefined);
      await clients.elb.send(new SetSubnetsCommand({ LoadBalancerArn, Subnets: ids }));
      return (await zonesOf(LoadBalancerArn)).map(({ SubnetId }) => SubnetId);
    };

    expect(await set(first, third)).to.deep.equal([first, third]);
    expect(await set(second)).to.deep.equal([second]);
  });

  it('becomes dualstack in subnets with IPv6 alone', async () => {
    const dual = await seedNetwork(peer, { cluster: 'dual', ipv6: true, instances: 0 });
    const change = async (of: SeededNetwork) => {
      const { LoadBalancerArn } = await createLoadBalancer(clients, of);
      await clients.elb.send(new SetIpAddressTypeCommand({ LoadBalancerArn, IpAddressType: 'dualstack' }));
      const command = new DescribeLoadBalancersCommand({ LoadBalancerArns: [LoadBalancerArn] });
      return (await clients.elb.send(command)).LoadBalancers?.[0]?.IpAddressType;
    };

    expect(await change(dual)).to.equal('dualstack');
    expect(await refused(change(network))).to.include({ code: 'InvalidConfigurationRequest' });
    expect(await refused(createLoadBalancer(clients, network, { IpAddressType: 'dualstack' }))).to.include({
      code: 'InvalidConfigurationRequest',
    });
  });

  it('changes security groups where there were some from the start', async () => {
    const [one, two] = [await createGroup(), await createGroup()];
    const plain = await createLoadBalancer(clients, network);
    const { LoadBalancerArn } = await createLoadBalancer(clients, network, { SecurityGroups: [one] });
    const set = (arn: string, ...SecurityGroups: string[]) =>
      clients.elb.send(new SetSecurityGroupsCommand({ LoadBalancerArn: arn, SecurityGroups }));
    await set(LoadBalancerArn, two);
    const command = new DescribeLoadBalancersCommand({ LoadBalancerArns: [LoadBalancerArn] });
    const [changed] = (await clients.elb.send(command)).LoadBalancers ?? [];

    expect(changed?.SecurityGroups).to.deep.equal([two]);
    expect(await refused(set(plain.LoadBalancerArn, one))).to.include({
      code: 'InvalidConfigurationRequest',
    });
    expect(await refused(set(LoadBalancerArn, 'sg-0123456789abcdef0'))).to.include({
      code: 'InvalidSecurityGroup',
    });
    expect(
      await refused(createLoadBalancer(clients, network, { SecurityGroups: ['sg-0123456789abcdef0'] })),
    ).to.include({ code: 'InvalidSecurityGroup' });
  });

  it('keeps a security group that a load balancer uses, or used until a moment ago', async () => {
    const group = await createGroup();
    const { LoadBalancerArn } = await createLoadBalancer(clients, network, { SecurityGroups: [group] });
    const used = await refused(deleteGroup(group));
    peer.times.securityGroupReleaseMs = 3_600_000;
    await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
    const held = await refused(deleteGroup(group));
    peer.times.securityGroupReleaseMs = 0;
    await deleteGroup(group);

    expect([used.code, held.code]).to.deep.equal(['DependencyViolation', 'DependencyViolation']);
  });

  it('keeps a security group that a rule of another names, or an instance has', async () => {
    const group = await createGroup();
    const IpPermissions = [
      { IpProtocol: 'tcp', FromPort: 30_000, ToPort: 32_767, UserIdGroupPairs: [{ GroupId: group }] },
    ];
    const rule = { GroupId: network.securityGroupId, IpPermissions };
    await clients.ec2.send(new AuthorizeSecurityGroupIngressCommand(rule));
    const named = await refused(deleteGroup(group));
    await clients.ec2.send(new RevokeSecurityGroupIngressCommand(rule));
    await deleteGroup(group);

    expect(named).to.include({ code: 'DependencyViolation' });
    expect(await refused(deleteGroup(network.securityGroupId))).to.include({ code: 'DependencyViolation' });
  });
});
