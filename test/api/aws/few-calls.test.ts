import { expect } from 'chai';
import type { AwsModel } from '../../../providers/aws/model.ts';
import { OWNER_TAGS } from '../../../providers/aws/tags.ts';
import type { Subject } from '../../../providers/provider.ts';
import { objects, text } from '../../peers/aws/plain.ts';
import { Account, never } from './support/account.ts';
import { change, creation, deletion, modelOf, subjectOf } from './support/fixture.ts';

const COUNT = 45;

describe('aws: few calls', () => {
  let account: Account;
  let subjects: Subject[];
  let models: AwsModel[];
  before(async function () {
    this.timeout(180_000);
    account = await Account.start();
    subjects = Array.from({ length: COUNT }, (_, at) => subjectOf(account.provider, `s${at}`));
    models = subjects.map((subject, at) => modelOf(subject, account.network, { nodePort: 30100 + 2 * at }));
    for (const [at, model] of models.entries()) {
      await account.apply(creation(model, account.network), subjects[at] ?? fail());
    }
    await foreign();
  });
  after(() => account.peer.stop());
  afterEach(() => account.peer.heal());

  /** Another cluster's, and somebody's without tags, named as ours are. */
  async function foreign(): Promise<void> {
    const other = subjectOf(account.provider, 'other', 'shop', 'another-cluster');
    await account.apply(creation(modelOf(other, account.network), account.network), other);
    await account.peer.elb('CreateTargetGroup', {
      Name: 'fairlead-by-hand',
      Protocol: 'TCP',
      Port: '80',
      VpcId: account.network.vpcId,
    });
    await account.peer.elb('CreateLoadBalancer', {
      Name: 'fairlead-by-hand',
      Type: 'network',
      Scheme: 'internal',
      Subnets: account.network.internalSubnets.map(({ id }) => id),
    });
  }

  function observeAll(known: boolean) {
    return Promise.all(
      subjects.map((subject, at) => account.access.observe(subject, known ? models[at] : undefined, never)),
    );
  }

  it('asks nothing again, however often it is asked', async () => {
    await observeAll(true);
    account.peer.calls.reset();
    for (let time = 0; time < 3; time++) await observeAll(true);
    expect(
      account.peer.calls.byOperation({ operation: /^(?!DescribeTargetHealth|DescribeLoadBalancers)/ }),
    ).to.deep.equal({});
  });

  it('asks after a restart for ownership alone, three calls at most for each 20 load balancers', async () => {
    account.forget();
    account.peer.calls.reset();
    const observed = await observeAll(true);
    expect(account.peer.calls.count()).to.be.at.most(3 * Math.ceil(COUNT / 20));
    expect(observed.every(({ loadBalancers }) => loadBalancers[0]?.listeners.length === 1)).to.equal(true);
    expect(observed.every(({ targetGroups }) => targetGroups[0]?.targets.length === 2)).to.equal(true);
    account.peer.calls.reset();
    await observeAll(true);
    expect(account.peer.calls.count()).to.equal(0);
  });

  it('finds with a sweep what somebody changed, and who has something there', async () => {
    account.forget();
    await observeAll(true);
    // From here on the ARNs of listeners are known, too.
    await account.access.refresh(account.provider, subjects[0]?.id.clusterId ?? '', never);
    const [victim = fail()] = models;
    const [first] = await observeAll(true);
    const arn = first?.loadBalancers[0]?.arn ?? fail();
    const group = first?.targetGroups[0]?.arn ?? fail();
    const [instance = fail()] = account.network.instances;
    const { Listeners } = await account.peer.elb('DescribeListeners', { LoadBalancerArn: arn });
    await account.peer.elb('DeleteListener', { ListenerArn: text(objects(Listeners)[0]?.ListenerArn) });
    await account.peer.elb('DeregisterTargets', {
      TargetGroupArn: group,
      Targets: [{ Id: instance.id, Port: '30100' }],
    });
    await account.peer.elb('ModifyTargetGroupAttributes', {
      TargetGroupArn: group,
      Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '77' }],
    });
    await account.peer.elb('RemoveTags', { ResourceArns: [group], TagKeys: [OWNER_TAGS.serviceUid] });
    await account.peer.ec2('RevokeSecurityGroupIngress', {
      GroupId: first?.securityGroup?.id ?? fail(),
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: '80', ToPort: '80', IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
      ],
    });
    account.peer.calls.reset();
    const owners = await account.access.refresh(account.provider, subjects[0]?.id.clusterId ?? '', never);
    expect(owners.map(({ name }) => name).sort()).to.deep.equal(subjects.map(({ id }) => id.name).sort());
    expect(owners.find(({ name }) => name === 's3.nlb')).to.deep.equal(subjects[3]?.id);
    // Four of each load balancer with one port of TCP, and the share of each in what is asked for 20 a call.
    const elb = account.peer.calls.count({ service: 'elasticloadbalancing' });
    expect(elb, JSON.stringify(account.peer.calls.byOperation())).to.be.at.most(COUNT * 4.5);
    const [found] = await observeAll(true);
    expect(found?.loadBalancers[0]?.listeners).to.deep.equal([]);
    expect(found?.targetGroups[0]?.targets.map(({ id }) => id)).to.not.include(instance.id);
    expect(found?.targetGroups[0]?.attributes).to.include({
      'deregistration_delay.timeout_seconds': '77',
      'stickiness.enabled': 'false',
    });
    expect(found?.targetGroups[0]?.tags).to.not.have.property(OWNER_TAGS.serviceUid);
    expect(found?.securityGroup?.ingress).to.deep.equal([]);

    await account.apply(deletion(victim), subjects[0] ?? fail());
    await account.apply(creation(victim, account.network), subjects[0] ?? fail());
  }).timeout(120_000);

  it('never loses in a sweep what is written meanwhile', async () => {
    const subject = subjects[1] ?? fail();
    const model = models[1] ?? fail();
    account.forget();
    await observeAll(true);
    account.peer.inject({ operation: 'DescribeTags', nth: 1, fault: { delayMs: 1500 } });
    const sweep = account.access.refresh(account.provider, subject.id.clusterId, never);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const name = model.targetGroups[0]?.name ?? fail();
    const [target = fail()] = model.targetGroups[0]?.targets ?? [];
    await account.apply([change({ call: 'DeregisterTargets', name, targets: [target] })], subject);
    await sweep;
    const { targetGroups } = await account.access.observe(subject, model, never);
    expect(targetGroups[0]?.targets.map(({ id }) => id)).to.not.include(target.id);
    await account.apply([change({ call: 'RegisterTargets', name, targets: [target] })], subject);
  }).timeout(120_000);

  it('lets a node join with one call for each target group, and nothing else', async () => {
    await observeAll(true);
    account.peer.calls.reset();
    const target = {
      id: account.network.instances[0]?.id ?? fail(),
      port: 31000,
      zone: undefined,
      pods: [],
      gated: false,
    };
    await Promise.all(
      models.map(({ targetGroups }, at) =>
        account.apply(
          [change({ call: 'RegisterTargets', name: targetGroups[0]?.name ?? fail(), targets: [target] })],
          subjects[at] ?? fail(),
        ),
      ),
    );
    expect(account.peer.calls.byOperation()).to.deep.equal({ RegisterTargets: COUNT });
  });

  it('leaves all that is not ours as it was', async () => {
    await account.access.refresh(account.provider, subjects[0]?.id.clusterId ?? '', never);
    account.peer.calls.reset();
    for (const [at, model] of models.entries()) await account.apply(deletion(model), subjects[at] ?? fail());
    expect((await account.loadBalancers()).sort())
      .to.have.length(2)
      .and.include('fairlead-by-hand');
    expect((await account.targetGroups()).sort())
      .to.have.length(2)
      .and.include('fairlead-by-hand');
    expect(await account.securityGroups()).to.have.length(2);
  }).timeout(120_000);
});

function fail(): never {
  throw new Error('the fixture has one');
}
