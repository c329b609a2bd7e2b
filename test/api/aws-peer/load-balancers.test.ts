import {
  DeleteLoadBalancerCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  ModifyLoadBalancerAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect } from 'chai';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import { ADMINISTRATOR } from '../../peers/aws/rights/evaluate-policy.ts';
import { type SeededNetwork, seedNetwork } from '../../peers/aws/seed-network.ts';
import { startAws } from '../../peers/aws/start-aws.ts';
import { type Clients, clientsOf, createLoadBalancer, freshName, refused } from './support.ts';

describe('stand-in for AWS: load balancers', () => {
  let peer: AwsPeer;
  let network: SeededNetwork;
  let clients: Clients;

  before(async () => {
    peer = await startAws({ policy: ADMINISTRATOR });
    network = await seedNetwork(peer, { instances: 0 });
    clients = clientsOf(peer);
  });

  afterEach(() => {
    peer.times.provisioningMs = 0;
    peer.quotas.loadBalancers = Number.POSITIVE_INFINITY;
  });

  after(() => peer?.stop());

  it('gives the one that is there for the same name and settings, and refuses other settings', async () => {
    const Name = freshName();
    const first = await createLoadBalancer(clients, network, { Name, Tags: [{ Key: 'a', Value: '1' }] });
    const second = await createLoadBalancer(clients, network, { Name });
    const other = await refused(createLoadBalancer(clients, network, { Name, Scheme: 'internal' }));

    expect(second.LoadBalancerArn).to.equal(first.LoadBalancerArn);
    expect(other).to.include({ code: 'DuplicateLoadBalancerName', status: 400 });
  });

  it('makes one of two that are created with one name at the same moment', async () => {
    const Name = freshName();
    const made = await Promise.all([1, 2, 3].map(() => createLoadBalancer(clients, network, { Name })));

    expect(new Set(made.map(({ LoadBalancerArn }) => LoadBalancerArn))).to.have.lengthOf(1);
  });

  it('refuses names that AWS refuses', async () => {
    for (const Name of ['a'.repeat(33), 'under_score', '-dash', 'internal-one']) {
      expect(await refused(createLoadBalancer(clients, network, { Name })), Name).to.include({
        code: 'ValidationError',
      });
    }
  });

  it('says net in ARNs of network load balancers and app in those of others', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const other = await createLoadBalancer(clients, network, { Type: 'application' });
    const answer = await clients.elb.send(
      new DescribeLoadBalancersCommand({ LoadBalancerArns: [LoadBalancerArn] }),
    );

    expect(LoadBalancerArn).to.match(/:loadbalancer\/net\/nlb-\d+\/[0-9a-f]{16}$/);
    expect(other.LoadBalancerArn).to.match(/:loadbalancer\/app\//);
    expect(answer.LoadBalancers?.map((found) => found.LoadBalancerArn)).to.deep.equal([LoadBalancerArn]);
  });

  it('gives each a DNS name of its own', async () => {
    const { DNSName, LoadBalancerArn } = await createLoadBalancer(clients, network);

    const id = LoadBalancerArn.split('/').at(-1);
    expect(DNSName).to.match(new RegExp(`^nlb-\\d+-${id}\\.elb\\.eu-central-1\\.amazonaws\\.com$`));
  });

  it('is provisioning for the time that the test chooses, described or not, then active', async () => {
    peer.times.provisioningMs = 3_600_000;
    const { LoadBalancerArn, State } = await createLoadBalancer(clients, network);
    const state = async () => {
      const command = new DescribeLoadBalancersCommand({ LoadBalancerArns: [LoadBalancerArn] });
      return (await clients.elb.send(command)).LoadBalancers?.[0]?.State?.Code;
    };
    const early = [State?.Code, await state(), await state()];
    peer.times.provisioningMs = 0;

    expect(early).to.deep.equal(['provisioning', 'provisioning', 'provisioning']);
    expect(await state()).to.equal('active');
  });

  it('keeps a protected one, and deletes it when it is no longer', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const protect = (Value: string) =>
      clients.elb.send(
        new ModifyLoadBalancerAttributesCommand({
          LoadBalancerArn,
          Attributes: [{ Key: 'deletion_protection.enabled', Value }],
        }),
      );
    await protect('true');
    const kept = await refused(clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn })));
    await protect('false');
    await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
    const gone = await refused(
      clients.elb.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [LoadBalancerArn] })),
    );

    expect(kept).to.include({ code: 'OperationNotPermitted' });
    expect(gone).to.include({ code: 'LoadBalancerNotFound' });
  });

  it('succeeds in deleting what is gone', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));

    await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
  });

  it('finds none where one of those asked for is missing', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const LoadBalancerArns = [LoadBalancerArn, LoadBalancerArn.replace(/.{4}$/, 'ffff')];

    expect(
      await refused(clients.elb.send(new DescribeLoadBalancersCommand({ LoadBalancerArns }))),
    ).to.include({
      code: 'LoadBalancerNotFound',
    });
  });

  it('turns pages, also when what ended the last one is gone', async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => createLoadBalancer(clients, network)));
    const seen: string[] = [];
    let Marker: string | undefined;
    do {
      const answer = await clients.elb.send(new DescribeLoadBalancersCommand({ PageSize: 2, Marker }));
      const page = (answer.LoadBalancers ?? []).map(({ LoadBalancerArn }) => LoadBalancerArn ?? '');
      expect(page).to.have.lengthOf.at.most(2);
      seen.push(...page);
      const LoadBalancerArn = page.at(-1);
      if (made.slice(0, 2).some((one) => one.LoadBalancerArn === LoadBalancerArn)) {
        await clients.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
      }
      Marker = answer.NextMarker;
    } while (Marker !== undefined && Marker !== '');

    expect(seen).to.include.members(made.map(({ LoadBalancerArn }) => LoadBalancerArn));
    expect(new Set(seen)).to.have.lengthOf(seen.length);
  });

  it('refuses more than 20 ARNs in one call', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const LoadBalancerArns = new Array<string>(21).fill(LoadBalancerArn);

    expect(
      await refused(clients.elb.send(new DescribeLoadBalancersCommand({ LoadBalancerArns }))),
    ).to.include({
      code: 'ValidationError',
    });
  });

  it('refuses more than the quota', async () => {
    peer.quotas.loadBalancers = 0;

    expect(await refused(createLoadBalancer(clients, network))).to.include({ code: 'TooManyLoadBalancers' });
  });

  it('gives all attributes with their defaults, and refuses those of other types', async () => {
    const { LoadBalancerArn } = await createLoadBalancer(clients, network);
    const modify = (Key: string, Value: string) =>
      clients.elb.send(
        new ModifyLoadBalancerAttributesCommand({ LoadBalancerArn, Attributes: [{ Key, Value }] }),
      );
    await modify('load_balancing.cross_zone.enabled', 'true');
    const answer = await clients.elb.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn }));
    const attributes = Object.fromEntries((answer.Attributes ?? []).map(({ Key, Value }) => [Key, Value]));

    expect(attributes).to.include({
      'load_balancing.cross_zone.enabled': 'true',
      'access_logs.s3.enabled': 'false',
      'dns_record.client_routing_policy': 'any_availability_zone',
    });
    expect(await refused(modify('idle_timeout.timeout_seconds', '60'))).to.include({
      code: 'InvalidConfigurationRequest',
    });
  });
});
