import { expect } from 'chai';
import { ClassedError } from '../../../kube/errors.ts';
import { OWNER_TAGS } from '../../../providers/aws/tags.ts';
import type { Subject } from '../../../providers/provider.ts';
import { objects, text } from '../../peers/aws/plain.ts';
import { Account, failureOf, never } from './support/account.ts';
import { CLUSTER_ID, change, creation, deletion, modelOf, subjectOf } from './support/fixture.ts';

describe('aws: sharing and adopting', () => {
  let account: Account;
  before(async function () {
    this.timeout(120_000);
    account = await Account.start();
  });
  after(() => account.peer.stop());
  afterEach(() => {
    account.peer.heal();
    account.peer.calls.reset();
  });

  it('makes one load balancer for several that share it, though all of them begin at once', async () => {
    const members = ['a', 'b', 'c'].map((name, at) => {
      const subject: Subject = { ...subjectOf(account.provider, name), sharedAddress: 'front' };
      return { subject, model: modelOf(subject, account.network, { port: 80 + at, nodePort: 30080 + at }) };
    });
    await Promise.all(
      members.map(({ model, subject }) => account.apply(creation(model, account.network), subject)),
    );
    expect(account.peer.calls.count({ operation: 'CreateLoadBalancer' })).to.equal(1);
    expect(account.peer.calls.count({ operation: 'CreateTargetGroup' })).to.equal(3);
    const [first] = members;
    const observed = await account.observe(first?.subject ?? fail());
    expect(observed.members).to.deep.equal(['shop/a.nlb', 'shop/b.nlb', 'shop/c.nlb']);
    expect(observed.loadBalancers[0]?.listeners.map(({ port }) => port).sort()).to.deep.equal([80, 81, 82]);

    account.forget();
    const [, second] = members;
    const again = await account.access.observe(second?.subject ?? fail(), second?.model, never);
    expect(again.loadBalancers[0]?.listeners.map(({ port }) => port)).to.deep.equal([81]);
    expect(account.peer.calls.count({ operation: 'DescribeListeners' })).to.equal(0);
  });

  it('knows of what a member left in another stack when it shares no more', async () => {
    const subject = subjectOf(account.provider, 'b');
    const observed = await account.observe(subject);
    expect(observed.loadBalancers).to.deep.equal([]);
    expect(observed.elsewhere?.map(({ stack }) => stack)).to.deep.equal(['shop/front.nlb:shared']);
    const [left] = observed.elsewhere ?? [];
    const name = left?.observed.loadBalancers[0]?.name ?? fail();
    const group = left?.observed.targetGroups.find(({ member }) => member === 'shop/b.nlb')?.name ?? fail();
    const stack = left?.stack ?? fail();
    await account.apply(
      [
        { ...change({ call: 'DeleteListener', loadBalancer: name, port: 81, protocol: 'TCP' }), stack },
        { ...change({ call: 'DeleteTargetGroup', name: group }), stack },
      ],
      subject,
    );
    expect((await account.observe(subject)).elsewhere).to.equal(undefined);
    expect(await account.targetGroups()).to.have.length(2);
  });

  it('takes over a load balancer that was there with tags alone, and shows it as it is before', async () => {
    const made = await account.peer.elb('CreateLoadBalancer', {
      Name: 'by-hand',
      Type: 'network',
      Scheme: 'internal',
      Subnets: account.network.internalSubnets.map(({ id }) => id),
    });
    const arn = text(objects(made.LoadBalancers)[0]?.LoadBalancerArn);
    const plain = subjectOf(account.provider, 'adopts');
    const spec = {
      service: { name: 'adopts', uid: 'u' },
      provider: { name: 'nlb', type: 'aws' as const },
      scheme: 'Internal' as const,
      targets: { mode: 'NodePort' as const, drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster' as const,
      aws: { adopt: { arn } },
    };
    const subject: Subject = { ...plain, spec };
    const before = await account.observe(subject);
    expect(before.loadBalancers).to.deep.equal([]);
    expect(before.adoptable).to.deep.include({ arn, name: 'by-hand', scheme: 'internal', tags: {} });

    const notOurs = change({
      call: 'AddTags',
      of: { kind: 'LoadBalancer', name: 'by-hand' },
      tags: { team: 'x' },
    });
    expect(await failureOf(account.apply([notOurs], subject))).to.be.an.instanceOf(ClassedError);

    const tags = modelOf(subject, account.network).loadBalancer.tags;
    account.peer.calls.reset();
    await account.apply(
      [change({ call: 'AddTags', of: { kind: 'LoadBalancer', name: 'by-hand' }, tags })],
      subject,
    );
    expect(account.peer.calls.byOperation()).to.deep.equal({ DescribeTags: 1, AddTags: 1 });
    const after = await account.observe(subject);
    expect(after.adoptable).to.equal(undefined);
    expect(after.loadBalancers.map(({ arn: own, variant }) => [own, variant])).to.deep.equal([[arn, 'v1']]);
    expect(after.loadBalancers[0]?.tags).to.include({ [OWNER_TAGS.cluster]: CLUSTER_ID });
    await account.apply([change({ call: 'DeleteLoadBalancer', name: 'by-hand' })], subject);
    expect(await account.loadBalancers()).to.have.length(1);
  });

  it('says what is wrong with an ARN that nothing has', async () => {
    const subject = subjectOf(account.provider, 'wrong');
    const spec = {
      service: { name: 'wrong', uid: 'u' },
      provider: { name: 'nlb', type: 'aws' as const },
      scheme: 'Internal' as const,
      targets: { mode: 'NodePort' as const, drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster' as const,
      aws: {
        adopt: {
          arn: 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/no/0123456789abcdef',
        },
      },
    };
    const failure = await failureOf(account.observe({ ...subject, spec }));
    expect(failure).to.have.property('reason', 'AdoptableNotFound');
  });

  it('never takes a load balancer of somebody else who has the same name', async () => {
    const subject = subjectOf(account.provider, 'taken');
    const model = modelOf(subject, account.network, { withSecurityGroup: false });
    const made = await account.peer.elb('CreateLoadBalancer', {
      Name: model.loadBalancer.name,
      Type: 'network',
      Scheme: 'internet-facing',
      Subnets: account.network.publicSubnets.map(({ id }) => id),
    });
    const failure = await failureOf(account.apply(creation(model, account.network), subject));
    expect(failure).to.be.an.instanceOf(ClassedError).with.property('reason', 'NameTaken');
    const names = await account.loadBalancers();
    expect(names.filter((name) => name === model.loadBalancer.name)).to.have.length(1);
    await account.apply(deletion(model), subject);
    expect(await account.loadBalancers()).to.include(model.loadBalancer.name);
    const arn = text(objects(made.LoadBalancers)[0]?.LoadBalancerArn);
    await account.peer.elb('DeleteLoadBalancer', { LoadBalancerArn: arn });
  });
});

function fail(): never {
  throw new Error('the fixture has one');
}
