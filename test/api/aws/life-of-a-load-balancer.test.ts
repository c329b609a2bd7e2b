import { expect } from 'chai';
import { ClassedError } from '../../../kube/errors.ts';
import { objects, text } from '../../peers/aws/plain.ts';
import { Account, failureOf, never } from './support/account.ts';
import { change, creation, deletion, modelOf, subjectOf } from './support/fixture.ts';

describe('aws: the life of a load balancer', () => {
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

  it('is made with at most eight calls, known from memory, and taken away without a trace', async () => {
    const subject = subjectOf(account.provider, 'web');
    const model = modelOf(subject, account.network);
    await account.observe(subject);
    account.peer.calls.reset();
    await account.apply(creation(model, account.network), subject);
    expect(account.peer.calls.count({ service: 'elasticloadbalancing' })).to.be.at.most(8);

    account.peer.calls.reset();
    const observed = await account.observe(subject);
    expect(account.peer.calls.all.map(({ operation }) => operation)).to.deep.equal([]);
    const [loadBalancer] = observed.loadBalancers;
    expect(loadBalancer?.name).to.equal(model.loadBalancer.name);
    expect(loadBalancer?.securityGroups).to.deep.equal([observed.securityGroup?.id]);
    expect(loadBalancer?.listeners.map(({ key, port }) => [key, port])).to.deep.equal([['tcp-80', 80]]);
    expect(loadBalancer?.listeners[0]?.targetGroupArn).to.equal(observed.targetGroups[0]?.arn);
    expect(observed.targetGroups[0]?.targets).to.have.length(2);
    expect(observed.backendPorts).to.deep.equal(model.securityGroup?.backend?.ports);
    expect(observed.lookAgainAfterSeconds).to.be.within(1, 5);

    await account.apply(deletion(model), subject);
    expect(await account.loadBalancers()).to.deep.equal([]);
    expect(await account.targetGroups()).to.deep.equal([]);
    expect(await account.securityGroups()).to.deep.equal([]);
    const gone = await account.observe(subject);
    expect([gone.loadBalancers, gone.targetGroups, gone.securityGroup]).to.deep.equal([[], [], undefined]);
  });

  it('is found again by its tags when every memory is lost, with all that it has', async () => {
    const subject = subjectOf(account.provider, 'found');
    const model = modelOf(subject, account.network);
    await account.apply(creation(model, account.network), subject);
    const before = await account.observe(subject);

    account.forget();
    const found = await account.observe(subject);
    expect(found.loadBalancers[0]?.arn).to.equal(before.loadBalancers[0]?.arn);
    expect(
      found.loadBalancers[0]?.listeners.map(({ key, member, tags }) => [key, member, tags]),
    ).to.deep.equal([['tcp-80', model.member, model.listeners[0]?.tags]]);
    expect(found.targetGroups[0]).to.deep.include({ key: 'tcp-80', member: model.member, port: 30080 });
    expect(found.targetGroups[0]?.attributes).to.include(model.targetGroups[0]?.attributes ?? {});
    expect(found.targetGroups[0]?.targets.map(({ id }) => id).sort()).to.deep.equal(
      account.network.instances.map(({ id }) => id).sort(),
    );
    expect(found.securityGroup?.ingress).to.deep.equal(before.securityGroup?.ingress);
    await account.apply(deletion(model), subject);
    expect(await account.securityGroups()).to.deep.equal([]);
  });

  it('tells the state and the health of targets while they are waited for, and asks no more when all is well', async () => {
    const subject = subjectOf(account.provider, 'slow');
    const model = modelOf(subject, account.network, { withSecurityGroup: false });
    account.peer.times.provisioningMs = 1000;
    await account.apply(creation(model, account.network), subject);
    account.peer.times.provisioningMs = 0;
    account.peer.calls.reset();
    let observed = await account.observe(subject);
    expect(observed.loadBalancers[0]?.state).to.equal('provisioning');
    while (observed.lookAgainAfterSeconds !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      observed = await account.observe(subject);
    }
    expect(observed.loadBalancers[0]?.state).to.equal('active');
    expect(observed.targetGroups[0]?.targets.map(({ health }) => health)).to.deep.equal([
      'healthy',
      'healthy',
    ]);
    expect(account.peer.calls.byOperation()).to.deep.equal({
      DescribeLoadBalancers: 1,
      DescribeTargetHealth: 1,
    });
    await account.apply(deletion(model), subject);
  });

  it('waits for what its load balancer still uses by coming again, and says so', async () => {
    const subject = subjectOf(account.provider, 'busy');
    const model = modelOf(subject, account.network);
    await account.apply(creation(model, account.network), subject);
    // Held until it was told.
    const { times } = account.peer;
    times.targetGroupReleaseMs = 3_600_000;
    times.securityGroupReleaseMs = 3_600_000;
    const reasons = new Set<string>();
    for (const each of deletion(model)) {
      for (;;) {
        const failure = await failureOf(account.access.apply(each, subject, never));
        if (failure === undefined) break;
        if (!(failure instanceof ClassedError)) throw failure;
        expect(failure.class).to.equal('Transient');
        reasons.add(failure.reason);
        if (failure.reason === 'ResourceInUse') times.targetGroupReleaseMs = 0;
        else times.securityGroupReleaseMs = 0;
      }
    }
    expect([...reasons].sort()).to.deep.equal(['DependencyViolation', 'ResourceInUse']);
    expect(await account.securityGroups()).to.deep.equal([]);
  });

  it('changes each part in place, and knows it without asking', async () => {
    const subject = subjectOf(account.provider, 'changing');
    const model = modelOf(subject, account.network);
    await account.apply(creation(model, account.network), subject);
    const name = model.loadBalancer.name;
    const [group] = model.targetGroups;
    const [listener] = model.listeners;
    if (group === undefined || listener === undefined) throw new Error('the fixture has one of each');
    const other = { ...group, name: `${group.name}-b`, port: 30081 };
    const rule = {
      protocol: 'tcp' as const,
      fromPort: 80,
      toPort: 80,
      cidr: '10.0.0.0/8',
      description: 'inside',
    };
    const healthCheck = {
      ...group.healthCheck,
      protocol: 'HTTP' as const,
      path: '/healthz',
      matcher: '200-399',
    };
    account.peer.calls.reset();
    await account.apply(
      [
        change({ call: 'CreateTargetGroup', targetGroup: other, vpcId: account.network.vpcId }),
        change({ call: 'ModifyListener', loadBalancer: name, listener, targetGroupName: other.name }),
        change({ call: 'DeleteTargetGroup', name: group.name }),
        change({ call: 'ModifyTargetGroup', name: other.name, healthCheck }),
        change({
          call: 'ModifyLoadBalancerAttributes',
          name,
          attributes: { 'load_balancing.cross_zone.enabled': 'true' },
        }),
        change({
          call: 'ModifyListenerAttributes',
          loadBalancer: name,
          port: 80,
          protocol: 'TCP',
          attributes: { 'tcp.idle_timeout.seconds': '400' },
        }),
        change({ call: 'AuthorizeSecurityGroupIngress', rules: [rule] }),
        change({ call: 'RevokeSecurityGroupIngress', rules: model.securityGroup?.ingress ?? [] }),
        change({ call: 'AddTags', of: { kind: 'LoadBalancer', name }, tags: { team: 'shop' } }),
        change({ call: 'AddTags', of: { kind: 'SecurityGroup' }, tags: { team: 'shop' } }),
        change({ call: 'RemoveTags', of: { kind: 'LoadBalancer', name }, keys: ['team'] }),
      ],
      subject,
    );
    expect(account.peer.calls.count({ operation: /^Describe/ })).to.equal(0);
    const remembered = await account.observe(subject);

    account.forget();
    const read = await account.observe(subject);
    for (const observed of [remembered, read]) {
      const [loadBalancer] = observed.loadBalancers;
      expect(loadBalancer?.attributes).to.include({ 'load_balancing.cross_zone.enabled': 'true' });
      expect(loadBalancer?.listeners[0]?.attributes).to.include({ 'tcp.idle_timeout.seconds': '400' });
      expect(loadBalancer?.tags).to.deep.equal(model.loadBalancer.tags);
      expect(observed.targetGroups.map((each) => each.name)).to.deep.equal([other.name]);
      expect(observed.targetGroups[0]?.healthCheck).to.deep.equal(healthCheck);
      expect(loadBalancer?.listeners[0]?.targetGroupArn).to.equal(observed.targetGroups[0]?.arn);
      expect(observed.securityGroup?.ingress.map(({ cidr }) => cidr)).to.deep.equal(['10.0.0.0/8']);
      expect(observed.securityGroup?.tags).to.deep.equal({ ...model.securityGroup?.tags, team: 'shop' });
    }
    await account.apply(deletion({ ...model, targetGroups: [other] }), subject);
    expect(await account.targetGroups()).to.deep.equal([]);
  });

  it('serves on while it comes to another zone, and learns of that', async () => {
    const subject = subjectOf(account.provider, 'zones');
    const model = modelOf(subject, account.network, { withSecurityGroup: false });
    const { name, subnets } = model.loadBalancer;
    if (subnets.kind !== 'given') throw new Error('the fixture gives subnets');
    const [first, ...more] = subnets.mappings;
    if (first === undefined) throw new Error('the fixture has two subnets');
    const small = { ...model.loadBalancer, subnets: { ...subnets, mappings: [first] } };
    await account.apply(creation({ ...model, loadBalancer: small }, account.network), subject);
    account.forget();
    expect((await account.observe(subject)).loadBalancers[0]?.state).to.equal('active');
    const mappings = [first, ...more];
    await account.apply([change({ call: 'SetSubnets', name, mappings, ipAddressType: 'ipv4' })], subject);
    let observed = await account.observe(subject);
    expect(observed.loadBalancers[0]?.state).to.equal('active');
    expect(observed.loadBalancers[0]?.subnets).to.have.length(mappings.length);
    while (observed.lookAgainAfterSeconds !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      observed = await account.observe(subject);
    }
    expect(observed.loadBalancers[0]?.subnets.every(({ zone }) => zone !== '')).to.equal(true);
    await account.apply(deletion(model), subject);
  });

  /** Of the nodes' group: who is let in where. */
  async function nodeRules(): Promise<string[]> {
    const { network, peer } = account;
    const answer = await peer.ec2('DescribeSecurityGroups', { GroupId: [network.securityGroupId] });
    const [group = {}] = objects(answer.securityGroupInfo);
    return objects(group.ipPermissions).map(
      (each) => `${text(each.ipProtocol)} ${text(each.fromPort)}-${text(each.toPort)}`,
    );
  }

  it('lets nodes be reached on the ports of all load balancers, and leaves the rules of others alone', async () => {
    const { network, peer } = account;
    await peer.ec2('AuthorizeSecurityGroupIngress', {
      GroupId: network.securityGroupId,
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: '22', ToPort: '22', IpRanges: [{ CidrIp: '10.0.0.0/8' }] },
      ],
    });
    const [one, two] = [subjectOf(account.provider, 'rules-one'), subjectOf(account.provider, 'rules-two')];
    const first = modelOf(one, network, { nodePort: 30090 });
    const second = modelOf(two, network, { nodePort: 30091 });
    await account.apply(creation(first, network), one);
    await account.apply(creation(second, network), two);
    expect((await nodeRules()).sort()).to.deep.equal(['tcp 22-22', 'tcp 30090-30091']);
    await account.apply(deletion(first), one);
    expect((await nodeRules()).sort()).to.deep.equal(['tcp 22-22', 'tcp 30091-30091']);
    await account.apply(deletion(second), two);
    expect(await nodeRules()).to.deep.equal(['tcp 22-22']);
    expect(await account.securityGroups()).to.deep.equal([]);
  });

  it('keeps the rules of one provider when the last load balancer of another goes', async () => {
    const { network, provider } = account;
    const aws = { ...(provider.spec.aws ?? { region: account.peer.region }), timeoutSeconds: 20 };
    // What it is asked for differs, so it has a memory of its own, which knows nothing of the first one's writes.
    const second = { name: 'second', spec: { ...provider.spec, aws } };
    const [one, two] = [subjectOf(provider, 'goes'), subjectOf(second, 'stays')];
    const [first, other] = [
      modelOf(one, network, { nodePort: 30095 }),
      modelOf(two, network, { nodePort: 30097 }),
    ];
    await account.observe(two);
    await account.apply(creation(first, network), one);
    await account.apply(creation(other, network), two);
    await account.apply(deletion(first), one);
    expect((await nodeRules()).filter((rule) => rule !== 'tcp 22-22')).to.deep.equal(['tcp 30097-30097']);
    expect(await account.securityGroups()).to.have.length(2);
    await account.apply(deletion(other), two);
    expect(await account.securityGroups()).to.deep.equal([]);
  });
});
