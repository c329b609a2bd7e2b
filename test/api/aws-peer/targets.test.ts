import {
  CreateListenerCommand,
  DeregisterTargetsCommand,
  DescribeTargetGroupAttributesCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  ModifyTargetGroupAttributesCommand,
  ModifyTargetGroupCommand,
  RegisterTargetsCommand,
  type TargetDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect } from 'chai';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import { ADMINISTRATOR } from '../../peers/aws/rights/evaluate-policy.ts';
import { addInstances, type SeededNetwork, seedNetwork } from '../../peers/aws/seed-network.ts';
import { startAws } from '../../peers/aws/start-aws.ts';
import {
  type Clients,
  clientsOf,
  createLoadBalancer,
  createTargetGroup,
  freshName,
  refused,
} from './support.ts';

describe('stand-in for AWS: target groups and targets', () => {
  let peer: AwsPeer;
  let network: SeededNetwork;
  let clients: Clients;
  let ids: string[];

  before(async () => {
    peer = await startAws({ policy: ADMINISTRATOR });
    network = await seedNetwork(peer, { instances: 3, zones: 2 });
    ids = network.instances.map(({ id }) => id);
    clients = clientsOf(peer);
  });

  afterEach(() => {
    Object.assign(peer.times, { initialMs: 0, drainScale: 0 });
  });

  after(() => peer?.stop());

  const register = (TargetGroupArn: string, Targets: TargetDescription[]) =>
    clients.elb.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
  const deregister = (TargetGroupArn: string, Targets: TargetDescription[]) =>
    clients.elb.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets }));

  async function health(TargetGroupArn: string, Targets?: TargetDescription[]): Promise<string[]> {
    const answer = await clients.elb.send(new DescribeTargetHealthCommand({ TargetGroupArn, Targets }));
    return (answer.TargetHealthDescriptions ?? []).map(({ Target, TargetHealth }) =>
      `${Target?.Id}:${Target?.Port} ${[TargetHealth?.State, TargetHealth?.Reason].join(' ')}`.trim(),
    );
  }

  /** One behind a listener. */
  async function usedGroup(): Promise<string> {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const { TargetGroupArn } = await createTargetGroup(clients, network);
    const DefaultActions = [{ Type: 'forward' as const, TargetGroupArn }];
    await clients.elb.send(
      new CreateListenerCommand({ LoadBalancerArn, Port: 80, Protocol: 'TCP', DefaultActions }),
    );
    return TargetGroupArn;
  }

  it('gives the group that is there for the same name and settings, and refuses other settings', async () => {
    const Name = freshName();
    const first = await createTargetGroup(clients, network, { Name });
    const second = await createTargetGroup(clients, network, { Name, HealthCheckIntervalSeconds: 30 });

    expect(second.TargetGroupArn).to.equal(first.TargetGroupArn);
    expect(await refused(createTargetGroup(clients, network, { Name, Port: 1 }))).to.include({
      code: 'DuplicateTargetGroupName',
    });
  });

  it('says initial for the time that the test chooses, then healthy, unless the test says otherwise', async () => {
    peer.times.initialMs = 3_600_000;
    const [one = '', two = ''] = ids;
    const group = await usedGroup();
    await register(group, [{ Id: one }, { Id: two, Port: 31_000 }]);
    const early = await health(group);
    peer.times.initialMs = 0;
    peer.setHealth(two, 'unhealthy');
    const late = await health(group);
    peer.setHealth(two, undefined);

    expect(early).to.deep.equal([
      `${one}:30080 initial Elb.RegistrationInProgress`,
      `${two}:31000 initial Elb.RegistrationInProgress`,
    ]);
    expect(late).to.deep.equal([`${one}:30080 healthy`, `${two}:31000 unhealthy Target.FailedHealthChecks`]);
    expect(await health(group)).to.deep.equal([`${one}:30080 healthy`, `${two}:31000 healthy`]);
  });

  it('has one target on several ports', async () => {
    const [Id = ''] = ids;
    const group = await usedGroup();
    await register(group, [
      { Id, Port: 1 },
      { Id, Port: 2 },
    ]);
    await deregister(group, [{ Id, Port: 1 }]);

    expect(await health(group)).to.deep.equal([`${Id}:2 healthy`]);
  });

  it('drains for the deregistration delay, times the scale', async () => {
    peer.times.drainScale = 1;
    const [Id = ''] = ids;
    const group = await usedGroup();
    await register(group, [{ Id }]);
    await deregister(group, [{ Id }]);
    const draining = await health(group);
    await clients.elb.send(
      new ModifyTargetGroupAttributesCommand({
        TargetGroupArn: group,
        Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '0' }],
      }),
    );
    const gone = [await health(group), await health(group, [{ Id }])];

    expect(draining).to.deep.equal([`${Id}:30080 draining Target.DeregistrationInProgress`]);
    expect(gone).to.deep.equal([[], [`${Id}:30080 unused Target.NotRegistered`]]);
  });

  it('takes a draining target back', async () => {
    peer.times.drainScale = 1;
    const [Id = ''] = ids;
    const group = await usedGroup();
    await register(group, [{ Id }]);
    await deregister(group, [{ Id }]);
    await register(group, [{ Id }]);

    expect(await health(group)).to.deep.equal([`${Id}:30080 healthy`]);
  });

  it('says unused without a listener, and in a zone that the load balancer is not in', async () => {
    const lone = await createTargetGroup(clients, network);
    const [near, far] = network.instances;
    const { LoadBalancerArn } = await createLoadBalancer(clients, network, {
      Subnets: network.publicSubnets.filter(({ zone }) => zone === near?.zone).map(({ id }) => id),
    });
    const { TargetGroupArn } = await createTargetGroup(clients, network);
    const DefaultActions = [{ Type: 'forward' as const, TargetGroupArn }];
    await clients.elb.send(
      new CreateListenerCommand({ LoadBalancerArn, Port: 80, Protocol: 'TCP', DefaultActions }),
    );
    for (const arn of [lone.TargetGroupArn, TargetGroupArn])
      await register(arn, [{ Id: near?.id }, { Id: far?.id }]);

    expect(await health(lone.TargetGroupArn)).to.deep.equal([
      `${near?.id}:30080 unused Target.NotInUse`,
      `${far?.id}:30080 unused Target.NotInUse`,
    ]);
    expect(await health(TargetGroupArn)).to.deep.equal([
      `${near?.id}:30080 healthy`,
      `${far?.id}:30080 unused Target.NotInUse`,
    ]);
  });

  it('says unused of a stopped instance, and lets a terminated one go', async () => {
    const [first, second] = await addInstances(peer, network, 2);
    const group = await usedGroup();
    await register(group, [{ Id: first?.id }, { Id: second?.id }]);
    const running = await health(group);
    await peer.ec2('StopInstances', { InstanceId: [first?.id ?? ''] });
    await peer.ec2('TerminateInstances', { InstanceId: [second?.id ?? ''] });

    expect(running).to.have.lengthOf(2);
    expect(await health(group)).to.deep.equal([`${first?.id}:30080 unused Target.InvalidState`]);
    expect(await refused(register(group, [{ Id: first?.id, Port: 1 }]))).to.include({
      code: 'InvalidTarget',
    });
  });

  it('refuses instances that do not exist, and succeeds in taking away what is not there', async () => {
    const group = await usedGroup();
    const Id = 'i-0123456789abcdef0';
    await deregister(group, [{ Id }]);

    expect(await refused(register(group, [{ Id: ids[0] }, { Id }]))).to.include({ code: 'InvalidTarget' });
    expect(await refused(register(group, [{ Id: '10.0.0.1' }]))).to.include({ code: 'ValidationError' });
    expect(await health(group)).to.deep.equal([]);
  });

  it('takes addresses in a group for them', async () => {
    const { TargetGroupArn } = await createTargetGroup(clients, network, { TargetType: 'ip' });
    const Id = network.instances[0]?.address ?? '';
    await register(TargetGroupArn, [
      { Id, Port: 8080 },
      { Id, Port: 8443 },
    ]);

    expect(await health(TargetGroupArn)).to.have.lengthOf(2);
    expect(await refused(register(TargetGroupArn, [{ Id: ids[0] }]))).to.include({ code: 'ValidationError' });
  });

  it('takes those in no subnet of the VPC for all zones, and those in one for none', async () => {
    const { TargetGroupArn } = await createTargetGroup(clients, network, { TargetType: 'ip' });
    const [inside, outside] = [{ Id: network.instances[0]?.address ?? '' }, { Id: '192.168.7.7' }];
    const all = { AvailabilityZone: 'all' };
    expect(await refused(register(TargetGroupArn, [outside]))).to.include({ code: 'ValidationError' });
    expect(await refused(register(TargetGroupArn, [{ ...inside, ...all }]))).to.include({
      code: 'ValidationError',
    });
    await register(TargetGroupArn, [inside, { ...outside, ...all }]);
    expect(await health(TargetGroupArn)).to.have.lengthOf(2);
  });

  it('knows no target group that is not there', async () => {
    const { TargetGroupArn } = await createTargetGroup(clients, network);
    const unknown = TargetGroupArn.replace(/.{4}$/, 'ffff');

    expect(await refused(register(unknown, [{ Id: ids[0] }]))).to.include({ code: 'TargetGroupNotFound' });
    expect(await refused(health(unknown))).to.include({ code: 'TargetGroupNotFound' });
  });

  it('has the attributes of groups for network load balancers', async () => {
    const { TargetGroupArn } = await createTargetGroup(clients, network, { TargetType: 'ip' });
    const modify = (Key: string, Value: string) =>
      clients.elb.send(
        new ModifyTargetGroupAttributesCommand({ TargetGroupArn, Attributes: [{ Key, Value }] }),
      );
    await modify('proxy_protocol_v2.enabled', 'true');
    const answer = await clients.elb.send(new DescribeTargetGroupAttributesCommand({ TargetGroupArn }));
    const attributes = Object.fromEntries((answer.Attributes ?? []).map(({ Key, Value }) => [Key, Value]));

    expect(attributes).to.include({
      'proxy_protocol_v2.enabled': 'true',
      'preserve_client_ip.enabled': 'false',
      'deregistration_delay.timeout_seconds': '300',
    });
    expect(attributes).not.to.have.property('slow_start.duration_seconds');
    expect(await refused(modify('no.such.key', '1'))).to.include({ code: 'ValidationError' });
    expect(await refused(modify('stickiness.type', 'lb_cookie'))).to.include({
      code: 'InvalidConfigurationRequest',
    });
  });

  it('has health checks with the defaults of their protocol, and changes them', async () => {
    const { TargetGroupArn, ...made } = await createTargetGroup(clients, network, {
      HealthCheckProtocol: 'HTTP',
      HealthCheckPort: '10256',
    });
    const plain = await createTargetGroup(clients, network);
    await clients.elb.send(
      new ModifyTargetGroupCommand({
        TargetGroupArn,
        HealthCheckPath: '/healthz',
        HealthCheckIntervalSeconds: 10,
        HealthyThresholdCount: 2,
        Matcher: { HttpCode: '200' },
      }),
    );
    const command = new DescribeTargetGroupsCommand({ TargetGroupArns: [TargetGroupArn] });
    const [changed] = (await clients.elb.send(command)).TargetGroups ?? [];

    expect(made).to.deep.include({
      HealthCheckPath: '/',
      HealthCheckTimeoutSeconds: 6,
      HealthyThresholdCount: 5,
      UnhealthyThresholdCount: 2,
      Matcher: { HttpCode: '200-399' },
    });
    expect(plain).to.include({ HealthCheckProtocol: 'TCP', HealthCheckTimeoutSeconds: 10 });
    expect(plain.Matcher).to.equal(undefined);
    expect(changed).to.deep.include({
      HealthCheckPath: '/healthz',
      HealthCheckPort: '10256',
      HealthCheckIntervalSeconds: 10,
      HealthyThresholdCount: 2,
      Matcher: { HttpCode: '200' },
    });
  });

  it('turns pages of target groups', async () => {
    const made = await Promise.all([1, 2, 3].map(() => createTargetGroup(clients, network)));
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const answer = await clients.elb.send(new DescribeTargetGroupsCommand({ PageSize: 2, Marker }));
      const page = answer.TargetGroups ?? [];
      expect(page).to.have.lengthOf.at.most(2);
      seen.push(...page.map(({ TargetGroupArn }) => TargetGroupArn ?? ''));
      Marker = answer.NextMarker;
    } while (Marker !== undefined && Marker !== '');

    expect(seen).to.include.members(made.map(({ TargetGroupArn }) => TargetGroupArn));
    expect(new Set(seen)).to.have.lengthOf(seen.length);
  });
});
