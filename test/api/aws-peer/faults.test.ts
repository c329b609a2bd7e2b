import { DescribeSubnetsCommand } from '@aws-sdk/client-ec2';
import {
  DescribeLoadBalancersCommand,
  DescribeTargetGroupsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect } from 'chai';
import type { AwsPeer } from '../../peers/aws/aws-peer.ts';
import { REQUEST_LIMIT, THROTTLED } from '../../peers/aws/fault-rules.ts';
import { ADMINISTRATOR } from '../../peers/aws/rights/evaluate-policy.ts';
import { type SeededNetwork, seedNetwork } from '../../peers/aws/seed-network.ts';
import { startAws } from '../../peers/aws/start-aws.ts';
import { type Clients, clientsOf, createLoadBalancer, freshName, refused } from './support.ts';

describe('stand-in for AWS: counting, faults and limits', () => {
  let peer: AwsPeer;
  let network: SeededNetwork;
  let clients: Clients;

  before(async () => {
    peer = await startAws({ policy: ADMINISTRATOR, seed: 7 });
    network = await seedNetwork(peer, { instances: 1 });
    clients = clientsOf(peer);
  });

  beforeEach(() => {
    peer.heal();
    peer.calls.reset();
  });

  after(() => peer?.stop());

  const describeAll = () => clients.elb.send(new DescribeLoadBalancersCommand({}));

  it('notes each call to the endpoint with its parameters, and none of those by hand', async () => {
    const Name = freshName('noted');
    await createLoadBalancer(clients, network, { Name, Tags: [{ Key: 'a', Value: 'b' }] });
    await refused(createLoadBalancer(clients, network, { Name, Scheme: 'internal' }));
    await peer.elb('DescribeLoadBalancers');
    await clientsOf(peer, peer.direct).elb.send(new DescribeLoadBalancersCommand({}));

    expect(
      peer.calls.all.map(({ service, operation, status, code }) => [service, operation, status, code]),
    ).to.deep.equal([
      ['elasticloadbalancing', 'CreateLoadBalancer', 200, undefined],
      ['elasticloadbalancing', 'CreateLoadBalancer', 400, 'DuplicateLoadBalancerName'],
    ]);
    expect(peer.calls.all[0]?.parameters).to.deep.equal({
      Name,
      Type: 'network',
      Subnets: network.publicSubnets.map(({ id }) => id),
      Tags: [{ Key: 'a', Value: 'b' }],
    });
    expect(peer.calls.count({ operation: /^Create/, code: 'DuplicateLoadBalancerName' })).to.equal(1);
    expect(peer.calls.byOperation()).to.deep.equal({ CreateLoadBalancer: 2 });
  });

  it('notes parameters of EC2 as lists too', async () => {
    const Filters = [{ Name: 'vpc-id', Values: [network.vpcId, 'vpc-0'] }];
    await clients.ec2.send(new DescribeSubnetsCommand({ Filters }));

    expect(peer.calls.all.map(({ service, parameters }) => [service, parameters])).to.deep.equal([
      ['ec2', { Filter: [{ Name: 'vpc-id', Value: [network.vpcId, 'vpc-0'] }] }],
    ]);
  });

  it('answers the nth of some calls with an error, without doing it', async () => {
    const injected = peer.inject({
      operation: 'CreateLoadBalancer',
      nth: 2,
      fault: { error: { code: 'ServiceUnavailable', message: 'later', status: 503 } },
    });
    const Name = freshName('failed');
    await createLoadBalancer(clients, network);
    const second = await refused(createLoadBalancer(clients, network, { Name }));
    const { LoadBalancers } = await describeAll();
    await createLoadBalancer(clients, network, { Name });

    expect(second).to.deep.equal({ code: 'ServiceUnavailable', message: 'later', status: 503 });
    expect(LoadBalancers?.map(({ LoadBalancerName }) => LoadBalancerName)).not.to.include(Name);
    expect(injected.hits).to.equal(1);
  });

  it('strikes as many of the calls as it is told, and none once it is removed', async () => {
    const injected = peer.inject({ operation: /^Describe/, times: 2, fault: { error: THROTTLED } });
    const codes = [await refused(describeAll()), await refused(describeAll())].map(({ code }) => code);
    await describeAll();
    const forever = peer.inject({ fault: { error: THROTTLED } });
    await refused(describeAll());
    forever.remove();
    await describeAll();

    expect(codes).to.deep.equal(['Throttling', 'Throttling']);
    expect([injected.hits, forever.hits]).to.deep.equal([2, 1]);
  });

  it('strikes a share of the calls, the same ones in each run', async () => {
    const run = async () => {
      const other = await startAws({ policy: ADMINISTRATOR, seed: 7 });
      other.inject({ share: 0.3, fault: { error: THROTTLED } });
      const { elb } = clientsOf(other);
      const struck: boolean[] = [];
      for (let call = 0; call < 60; call++) {
        struck.push(
          await elb.send(new DescribeTargetGroupsCommand({})).then(
            () => false,
            () => true,
          ),
        );
      }
      await other.stop();
      return struck;
    };
    const first = await run();

    expect(first.filter(Boolean).length).to.be.within(8, 30);
    expect(await run()).to.deep.equal(first);
  });

  it('answers in the form of each service', async () => {
    peer.inject({ service: 'ec2', fault: { error: REQUEST_LIMIT } });

    expect(await refused(clients.ec2.send(new DescribeSubnetsCommand({})))).to.deep.equal({
      code: 'RequestLimitExceeded',
      message: 'Request limit exceeded.',
      status: 503,
    });
    await describeAll();
  });

  it('holds an answer back', async () => {
    peer.inject({ operation: 'DescribeLoadBalancers', fault: { delayMs: 400 } });
    const started = performance.now();
    await describeAll();

    expect(performance.now() - started).to.be.at.least(399);
  });

  it('cuts the connection before AWS did it', async () => {
    const Name = freshName('cut');
    const injected = peer.inject({ operation: 'CreateLoadBalancer', fault: { cut: 'before' } });
    const error = await createLoadBalancer(clients, network, { Name }).catch((reason: unknown) => reason);
    injected.remove();
    const { LoadBalancers } = await describeAll();

    expect(error).to.have.property('code', 'ECONNRESET');
    expect(LoadBalancers?.map(({ LoadBalancerName }) => LoadBalancerName)).not.to.include(Name);
    expect(peer.calls.all[0]).to.include({ cut: 'before', status: undefined });
  });

  it('cuts the connection after AWS did it', async () => {
    const Name = freshName('cut');
    const injected = peer.inject({ operation: 'CreateLoadBalancer', fault: { cut: 'after' } });
    const error = await createLoadBalancer(clients, network, { Name }).catch((reason: unknown) => reason);
    injected.remove();
    const { LoadBalancers } = await describeAll();

    expect(error).to.have.property('code', 'ECONNRESET');
    expect(LoadBalancers?.map(({ LoadBalancerName }) => LoadBalancerName)).to.include(Name);
    expect(peer.calls.all[0]).to.include({ cut: 'after', status: undefined });
  });

  it('calls hooks before it does a call and after, and waits for them', async () => {
    const Name = freshName('hooked');
    const there = async () => (await peer.elb('DescribeLoadBalancers')).LoadBalancers;
    const seen: boolean[] = [];
    const look = async () => void seen.push(JSON.stringify(await there()).includes(Name));
    const removeBefore = peer.beforeCall(look);
    const removeAfter = peer.afterCall(look);
    await createLoadBalancer(clients, network, { Name });
    removeBefore();
    removeAfter();
    await describeAll();

    expect(seen).to.deep.equal([false, true]);
  });

  it('does what a client asked for that is gone before the answer', async () => {
    const Name = freshName('orphan');
    const abort = new AbortController();
    peer.beforeCall(() => abort.abort());
    const done = new Promise<void>((resolve) => void peer.afterCall(() => resolve()));
    const send = clients.elb.send.bind(clients.elb);
    const { CreateLoadBalancerCommand } = await import('@aws-sdk/client-elastic-load-balancing-v2');
    const Subnets = network.publicSubnets.map(({ id }) => id);
    const command = new CreateLoadBalancerCommand({ Name, Type: 'network', Subnets });
    const error = await send(command, { abortSignal: abort.signal }).catch((reason: unknown) => reason);
    await done;
    peer.heal();
    const { LoadBalancers } = await describeAll();

    expect(error).to.have.property('name', 'AbortError');
    expect(LoadBalancers?.map(({ LoadBalancerName }) => LoadBalancerName)).to.include(Name);
  });

  it('has buckets like those of AWS: so many at once, then no more', async () => {
    // So slow that no token comes back meanwhile.
    peer.buckets.enable(0.1);
    const codes = async (count: number, send: () => Promise<unknown>) => {
      const found: string[] = [];
      for (let call = 0; call < count; call++) {
        const outcome = await send().then(
          () => 'done',
          () => peer.calls.all.at(-1)?.code ?? '',
        );
        found.push(outcome);
      }
      return found;
    };
    const reads = await codes(8, describeAll);
    const writes = await codes(4, () => createLoadBalancer(clients, network));
    const subnets = await codes(1, () => clients.ec2.send(new DescribeSubnetsCommand({})));
    peer.buckets.disable();

    expect(reads.slice(0, 4)).to.deep.equal(['done', 'done', 'done', 'done']);
    expect(reads).to.include('Throttling');
    expect(writes.slice(0, 2)).to.deep.equal(['done', 'done']);
    expect(writes).to.include('Throttling');
    expect(subnets).to.deep.equal(['done']);
    await describeAll();
  });
});
