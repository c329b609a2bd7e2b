import {
  type Action,
  AddListenerCertificatesCommand,
  CreateListenerCommand,
  type CreateListenerCommandInput,
  DeleteListenerCommand,
  DeleteLoadBalancerCommand,
  DeleteTargetGroupCommand,
  DescribeListenerAttributesCommand,
  DescribeListenerCertificatesCommand,
  DescribeListenersCommand,
  DescribeTargetGroupsCommand,
  ModifyListenerAttributesCommand,
  ModifyListenerCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect } from 'chai';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import { ADMINISTRATOR } from '../../peers/aws/rights/evaluate-policy.ts';
import { requestCertificate, type SeededNetwork, seedNetwork } from '../../peers/aws/seed-network.ts';
import { startAws } from '../../peers/aws/start-aws.ts';
import { type Clients, clientsOf, createLoadBalancer, createTargetGroup, refused } from './support.ts';

describe('stand-in for AWS: listeners', () => {
  let peer: AwsPeer;
  let network: SeededNetwork;
  let clients: Clients;

  before(async () => {
    peer = await startAws({ policy: ADMINISTRATOR });
    network = await seedNetwork(peer, { instances: 0 });
    clients = clientsOf(peer);
  });

  afterEach(() => {
    peer.times.targetGroupReleaseMs = 0;
  });

  after(() => peer?.stop());

  const forward = (TargetGroupArn: string): Action[] => [{ Type: 'forward', TargetGroupArn }];

  async function listen(input: Partial<CreateListenerCommandInput> & { LoadBalancerArn: string }) {
    const Protocol = input.Protocol ?? 'TCP';
    const DefaultActions =
      input.DefaultActions ??
      forward((await createTargetGroup(clients, network, { Protocol })).TargetGroupArn);
    const command = new CreateListenerCommand({ Port: 80, ...input, Protocol, DefaultActions });
    const [listener] = (await clients.elb.send(command)).Listeners ?? [];
    if (listener?.ListenerArn === undefined) throw new Error('no listener in the answer');
    return { ...listener, ListenerArn: listener.ListenerArn };
  }

  async function describeListener(ListenerArn: string) {
    const answer = await clients.elb.send(new DescribeListenersCommand({ ListenerArns: [ListenerArn] }));
    return answer.Listeners?.[0];
  }

  it('has an ARN that goes on from that of its load balancer', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const { ListenerArn } = await listen({ LoadBalancerArn });

    const start = LoadBalancerArn.replace(':loadbalancer/', ':listener/');
    expect(ListenerArn).to.match(new RegExp(`^${start}/[0-9a-f]{16}$`));
    expect((await describeListener(ListenerArn))?.LoadBalancerArn).to.equal(LoadBalancerArn);
  });

  it('refuses a second one on the same port, created or moved there', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    await listen({ LoadBalancerArn, Port: 80 });
    const { ListenerArn } = await listen({ LoadBalancerArn, Port: 81 });
    const move = () => clients.elb.send(new ModifyListenerCommand({ ListenerArn, Port: 80 }));

    expect(await refused(listen({ LoadBalancerArn, Port: 80 }))).to.include({ code: 'DuplicateListener' });
    expect(await refused(move())).to.include({ code: 'DuplicateListener' });
  });

  it('has room for 50 of a load balancer', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const { TargetGroupArn } = await createTargetGroup(clients, network);
    const DefaultActions = forward(TargetGroupArn);
    for (let Port = 1; Port <= 50; Port++) await listen({ LoadBalancerArn, Port, DefaultActions });

    expect(await refused(listen({ LoadBalancerArn, Port: 51, DefaultActions }))).to.include({
      code: 'TooManyListeners',
    });
  });

  it('keeps a target group for one load balancer', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const other = await createLoadBalancer(clients, network);
    const { TargetGroupArn } = await createTargetGroup(clients, network);
    const DefaultActions = forward(TargetGroupArn);
    const { ListenerArn } = await listen({ LoadBalancerArn, DefaultActions });
    const second = () => listen({ LoadBalancerArn: other.LoadBalancerArn, DefaultActions });
    const early = await refused(second());
    await clients.elb.send(new DeleteListenerCommand({ ListenerArn }));

    expect(early).to.include({ code: 'TargetGroupAssociationLimit' });
    expect((await second()).LoadBalancerArn).to.equal(other.LoadBalancerArn);
  });

  it('tells which load balancer uses a target group, until it is deleted', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const { TargetGroupArn } = await createTargetGroup(clients, network);
    const users = async () => {
      const command = new DescribeTargetGroupsCommand({ TargetGroupArns: [TargetGroupArn] });
      return (await clients.elb.send(command)).TargetGroups?.[0]?.LoadBalancerArns ?? [];
    };
    const unused = await users();
    await listen({ LoadBalancerArn, DefaultActions: forward(TargetGroupArn) });
    const used = await users();
    const behind = await clients.elb.send(new DescribeTargetGroupsCommand({ LoadBalancerArn }));
    await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));

    expect([unused, used, await users()]).to.deep.equal([[], [LoadBalancerArn], []]);
    expect(behind.TargetGroups?.map((group) => group.TargetGroupArn)).to.deep.equal([TargetGroupArn]);
  });

  it('holds a target group that is in use, and a while longer if the test says so', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const { TargetGroupArn } = await createTargetGroup(clients, network);
    await listen({ LoadBalancerArn, DefaultActions: forward(TargetGroupArn) });
    const remove = () => clients.elb.send(new DeleteTargetGroupCommand({ TargetGroupArn }));
    const used = await refused(remove());
    peer.times.targetGroupReleaseMs = 3_600_000;
    await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
    const held = await refused(remove());
    peer.times.targetGroupReleaseMs = 0;
    await remove();

    expect([used.code, held.code]).to.deep.equal(['ResourceInUse', 'ResourceInUse']);
  });

  it('wants a target group of a protocol that fits', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const { TargetGroupArn } = await createTargetGroup(clients, network, { Protocol: 'UDP' });

    const DefaultActions = forward(TargetGroupArn);
    expect(await refused(listen({ LoadBalancerArn, Protocol: 'TCP', DefaultActions }))).to.include({
      code: 'IncompatibleProtocols',
    });
  });

  it('listens with TCP and UDP on one port', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const { ListenerArn } = await listen({ LoadBalancerArn, Protocol: 'TCP_UDP', Port: 53 });

    expect(await describeListener(ListenerArn)).to.include({ Protocol: 'TCP_UDP', Port: 53 });
  });

  it('takes TLS with a certificate, a policy and ALPN, and changes them', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const [one, two, three] = [
      await requestCertificate(peer, 'one.example.com'),
      await requestCertificate(peer, 'two.example.com'),
      await requestCertificate(peer, 'three.example.com'),
    ];
    const SslPolicy = 'ELBSecurityPolicy-TLS13-1-2-2021-06';
    const { ListenerArn } = await listen({
      LoadBalancerArn,
      Protocol: 'TLS',
      Port: 443,
      Certificates: [{ CertificateArn: one }],
      SslPolicy,
      AlpnPolicy: ['HTTP2Preferred'],
    });
    const made = await describeListener(ListenerArn);
    await clients.elb.send(
      new AddListenerCertificatesCommand({ ListenerArn, Certificates: [{ CertificateArn: three }] }),
    );
    await clients.elb.send(
      new ModifyListenerCommand({
        ListenerArn,
        Certificates: [{ CertificateArn: two }],
        AlpnPolicy: ['None'],
      }),
    );
    const changed = await describeListener(ListenerArn);
    const all = await clients.elb.send(new DescribeListenerCertificatesCommand({ ListenerArn }));

    expect(made).to.deep.include({
      Protocol: 'TLS',
      SslPolicy,
      AlpnPolicy: ['HTTP2Preferred'],
      Certificates: [{ CertificateArn: one }],
    });
    expect(changed).to.deep.include({ AlpnPolicy: ['None'], Certificates: [{ CertificateArn: two }] });
    expect(all.Certificates).to.deep.equal([
      { CertificateArn: two, IsDefault: true },
      { CertificateArn: three, IsDefault: false },
    ]);
  });

  it('turns a TCP listener into one of TLS, and back', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const { ListenerArn } = await listen({ LoadBalancerArn, Protocol: 'TCP', Port: 443 });
    const CertificateArn = await requestCertificate(peer, 'turned.example.com');
    await clients.elb.send(
      new ModifyListenerCommand({ ListenerArn, Protocol: 'TLS', Certificates: [{ CertificateArn }] }),
    );
    const secure = await describeListener(ListenerArn);
    await clients.elb.send(new ModifyListenerCommand({ ListenerArn, Protocol: 'TCP' }));
    const plain = await describeListener(ListenerArn);

    expect(secure).to.deep.include({ Protocol: 'TLS', Certificates: [{ CertificateArn }] });
    expect(secure?.SslPolicy).to.match(/^ELBSecurityPolicy-/);
    expect(plain).to.include({ Protocol: 'TCP' });
    expect(plain?.SslPolicy).to.equal(undefined);
  });

  it('wants a certificate for TLS, one that exists, and none for TCP', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const CertificateArn = await requestCertificate(peer, 'spare.example.com');
    const Certificates = [{ CertificateArn }];
    const unknown = [{ CertificateArn: CertificateArn.replace(/.{12}$/, '000000000000') }];

    expect(await refused(listen({ LoadBalancerArn, Protocol: 'TLS' }))).to.include({
      code: 'ValidationError',
    });
    expect(await refused(listen({ LoadBalancerArn, Protocol: 'TLS', Certificates: unknown }))).to.include({
      code: 'CertificateNotFound',
    });
    expect(await refused(listen({ LoadBalancerArn, Protocol: 'TCP', Certificates }))).to.include({
      code: 'InvalidConfigurationRequest',
    });
  });

  it('has the idle timeout of TCP for an attribute, and no other', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const { ListenerArn } = await listen({ LoadBalancerArn });
    const udp = await listen({ LoadBalancerArn, Protocol: 'UDP', Port: 81 });
    const modify = (arn: string, Key: string, Value: string) =>
      clients.elb.send(
        new ModifyListenerAttributesCommand({ ListenerArn: arn, Attributes: [{ Key, Value }] }),
      );
    const read = async (arn: string) =>
      (await clients.elb.send(new DescribeListenerAttributesCommand({ ListenerArn: arn }))).Attributes ?? [];
    const Key = 'tcp.idle_timeout.seconds';
    const before = await read(ListenerArn);
    await modify(ListenerArn, Key, '600');

    expect(before).to.deep.equal([{ Key, Value: '350' }]);
    expect(await read(ListenerArn)).to.deep.equal([{ Key, Value: '600' }]);
    expect(await read(udp.ListenerArn)).to.deep.equal([]);
    expect(await refused(modify(ListenerArn, Key, '59'))).to.include({ code: 'ValidationError' });
    expect(await refused(modify(udp.ListenerArn, Key, '600'))).to.include({
      code: 'InvalidConfigurationRequest',
    });
  });
});
