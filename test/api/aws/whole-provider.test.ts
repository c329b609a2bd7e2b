import { expect } from 'chai';
import type { LoadBalancerSpec } from '../../../crds/load-balancer.ts';
import { createAwsProvider } from '../../../providers/aws/aws.ts';
import type { AwsModel } from '../../../providers/aws/model.ts';
import type { DesiredLoadBalancer } from '../../../providers/provider.ts';
import { objects, text } from '../../peers/aws/plain.ts';
import { sleep } from '../../support/eventually.ts';
import { Account, failureOf, limits, never } from './support/account.ts';
import { desireOver, readSecret } from './support/fixture.ts';

/** As in providers/aws/observe/inventory.ts, and a moment more. */
const UNSEEN_MS = 5_100;
/** Turns until nothing is left to be done; more than this is a circle. */
const MOST_TURNS = 12;
/** Between them; what takes its time at AWS takes none in the stand-in. */
const PAUSE_MS = 100;
const MOST_PAUSES = 150;

describe('aws: the whole provider', () => {
  let account: Account;
  let provider: ReturnType<typeof createAwsProvider>;
  before(async function () {
    this.timeout(120_000);
    account = await Account.start();
  });
  after(() => account.peer.stop());
  beforeEach(() => {
    restart();
    account.peer.calls.reset();
  });
  afterEach(() => account.peer.heal());

  /** A process that knows nothing. */
  function restart(): void {
    provider = createAwsProvider({ readSecret, limits: limits(100), firstLookSeconds: 0.1 });
  }

  function desire(service: string, spec: Partial<LoadBalancerSpec> = {}): DesiredLoadBalancer {
    return desireOver(account.provider, account.network.instances, service, spec);
  }

  /** One turn of the operator; answers how many changes it made. */
  async function turn(desired: DesiredLoadBalancer): Promise<number> {
    const model = provider.build(desired);
    const changes = provider.diff(model, await provider.observe(desired, undefined, never));
    for (const change of changes) await provider.apply(change, desired, never);
    return changes.length;
  }

  async function settle(desired: DesiredLoadBalancer): Promise<AwsModel> {
    let turns = 0;
    for (let pauses = 0; turns < MOST_TURNS && pauses < MOST_PAUSES; pauses++) {
      const changed = await turn(desired);
      const model = provider.build(desired);
      const observed = await provider.observe(desired, undefined, never);
      const { againAfterSeconds, notProgrammed } = provider.status(model, observed);
      if (changed === 0 && againAfterSeconds === undefined) {
        expect(notProgrammed).to.equal(undefined);
        return model;
      }
      if (changed > 0) turns++;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new Error('it goes round and round');
  }

  async function remove({ id, provider: scope, sharedAddress }: DesiredLoadBalancer): Promise<void> {
    const subject = { id, provider: scope, ...(sharedAddress === undefined ? {} : { sharedAddress }) };
    for (let turns = 0; turns < MOST_TURNS; turns++) {
      const changes = provider.diff(undefined, await provider.observe(subject, undefined, never));
      if (changes.length === 0) return;
      for (const change of changes) await provider.apply(change, subject, never);
    }
    throw new Error('it is never gone');
  }

  async function expectNothing(): Promise<void> {
    expect(await account.loadBalancers()).to.deep.equal([]);
    expect(await account.targetGroups()).to.deep.equal([]);
    expect(await account.securityGroups()).to.deep.equal([]);
  }

  it('serves a Service with eight calls of ELBv2 at most, and asks nothing from then on', async () => {
    const desired = desire('web');
    await provider.observe(desired, undefined, never);
    account.peer.calls.reset();
    const model = await settle(desired);
    const calls = account.peer.calls.byOperation({ service: 'elasticloadbalancing' });
    const count = Object.values(calls).reduce((sum, each) => sum + each, 0);
    expect(count, JSON.stringify(calls)).to.be.at.most(8);

    account.peer.calls.reset();
    const observed = await provider.observe(desired, model, never);
    expect(provider.diff(model, observed)).to.deep.equal([]);
    expect(account.peer.calls.byOperation()).to.deep.equal({});
    const status = provider.status(model, observed);
    expect(status.ingress[0]?.hostname).to.match(/\.amazonaws\.com$/);
    expect(status.targets).to.deep.equal({ desired: 2, healthy: 2 });

    restart();
    const after = await provider.observe(desired, model, never);
    expect(provider.diff(model, after)).to.deep.equal([]);
    const asked = account.peer.calls.byOperation();
    expect(asked).to.deep.equal({
      DescribeLoadBalancers: 1,
      DescribeTargetGroups: 1,
      DescribeSecurityGroups: 1,
      DescribeSubnets: 1,
      DescribeTags: 1,
    });
    await remove(desired);
    await expectNothing();
  }).timeout(120_000);

  it('finds nothing to do after a restart that knows of no model, but by reading', async () => {
    const port = (protocol: 'TCP' | 'UDP', at: number) => ({ protocol, port: at, nodePort: 30000 + at });
    const desired = desire('again', {
      frontends: [port('TCP', 80), port('UDP', 514), port('TCP', 53), port('UDP', 53)],
      sourceRanges: ['10.0.0.0/8', '192.168.0.0/16'],
      sessionAffinitySeconds: 100,
    });
    await settle(desired);
    restart();
    const model = provider.build(desired);
    account.peer.calls.reset();
    const changes = provider.diff(model, await provider.observe(desired, undefined, never));
    // Which of the ports that nodes let in are this one's isn't known: to be sure, they are looked at.
    expect(changes.map(({ call }) => call)).to.deep.equal(['SyncBackendRules']);
    for (const change of changes) await provider.apply(change, desired, never);
    expect(provider.diff(model, await provider.observe(desired, undefined, never))).to.deep.equal([]);
    expect(account.peer.calls.count({ operation: /^(?!Describe)/ })).to.equal(0);
    await remove(desired);
    await expectNothing();
  }).timeout(120_000);

  it('puts back each field that somebody changed, found by a sweep', async () => {
    const desired = desire('drift');
    const model = await settle(desired);
    const servedAt = performance.now();
    const { loadBalancers, securityGroup, targetGroups } = await provider.observe(desired, model, never);
    const arn = loadBalancers[0]?.arn ?? '';
    const group = targetGroups[0]?.arn ?? '';
    const { Listeners } = await account.peer.elb('DescribeListeners', { LoadBalancerArn: arn });
    const listener = text(objects(Listeners)[0]?.ListenerArn);
    const [target] = account.network.instances;
    const edits: (() => Promise<unknown>)[] = [
      () => account.peer.elb('DeleteListener', { ListenerArn: listener }),
      () =>
        account.peer.elb('DeregisterTargets', {
          TargetGroupArn: group,
          Targets: [{ Id: target?.id ?? '', Port: '30080' }],
        }),
      () =>
        account.peer.elb('RegisterTargets', {
          TargetGroupArn: group,
          Targets: [{ Id: target?.id ?? '', Port: '4444' }],
        }),
      () =>
        account.peer.elb('ModifyTargetGroupAttributes', {
          TargetGroupArn: group,
          Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '1234' }],
        }),
      () =>
        account.peer.elb('ModifyTargetGroup', { TargetGroupArn: group, HealthCheckIntervalSeconds: '33' }),
      () => account.peer.elb('RemoveTags', { ResourceArns: [group], TagKeys: ['fairlead.dev/service-uid'] }),
      () =>
        account.peer.elb('SetSecurityGroups', {
          LoadBalancerArn: arn,
          SecurityGroups: [account.network.securityGroupId],
        }),
      () =>
        account.peer.ec2('RevokeSecurityGroupIngress', {
          GroupId: securityGroup?.id ?? '',
          IpPermissions: [
            { IpProtocol: 'tcp', FromPort: '80', ToPort: '80', IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
          ],
        }),
      () =>
        account.peer.ec2('AuthorizeSecurityGroupIngress', {
          GroupId: securityGroup?.id ?? '',
          IpPermissions: [
            { IpProtocol: 'tcp', FromPort: '22', ToPort: '22', IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
          ],
        }),
      async () => {
        // Of what was made that recently a listing may not know yet, so that it isn't believed.
        await sleep(UNSEEN_MS - (performance.now() - servedAt));
        await account.peer.elb('DeleteLoadBalancer', { LoadBalancerArn: arn });
      },
    ];
    for (const [at, edit] of edits.entries()) {
      await edit();
      await provider.refresh?.(account.provider, desired.id.clusterId, never);
      const changes = provider.diff(model, await provider.observe(desired, model, never));
      expect(changes.length, `edit ${at}`).to.be.at.least(1);
      await settle(desired);
      await provider.refresh?.(account.provider, desired.id.clusterId, never);
      const left = provider.diff(model, await provider.observe(desired, model, never));
      expect(
        left.map(({ summary }) => summary),
        `edit ${at}`,
      ).to.deep.equal([]);
    }
    await remove(desired);
    await expectNothing();
  }).timeout(180_000);

  it('makes another one for another scheme, and keeps the old one until that serves', async () => {
    const internal = desire('moves');
    await settle(internal);
    const [before] = await account.loadBalancers();
    const outside = desire('moves', { scheme: 'Public' });
    await turn(outside);
    expect(await account.loadBalancers())
      .to.have.length(2)
      .and.include(before);
    await settle(outside);
    const now = await account.loadBalancers();
    expect(now).to.have.length(1).and.not.include(before);
    await remove(outside);
    await expectNothing();
  }).timeout(120_000);

  it('shares one between two, and takes it away with the last', async () => {
    const [one, two] = ['one', 'two'].map((name, at) =>
      desire(name, {
        sharedAddress: 'front',
        frontends: [{ protocol: 'TCP', port: 80 + at, nodePort: 30080 + at }],
      }),
    );
    if (one === undefined || two === undefined) throw new Error('there are two');
    const sharedWith = [one, two].map(({ id, spec }) => ({ id, spec }));
    const members = [one, two].map((each) => ({ ...each, sharedWith }));
    await Promise.all(members.map(settle));
    expect(await account.loadBalancers()).to.have.length(1);
    const [first, second] = members;
    if (first === undefined || second === undefined) throw new Error('there are two');
    await remove(first);
    expect(await account.loadBalancers()).to.have.length(1);
    expect(await account.targetGroups()).to.have.length(1);
    const alone = { ...second, sharedWith: [{ id: second.id, spec: second.spec }] };
    await settle(alone);
    // It shares no more, and gets one of its own before it leaves the shared one.
    const { sharedAddress: _, ...own } = desire('two', { frontends: second.spec.frontends });
    await settle(own);
    expect(await account.loadBalancers()).to.have.length(1);
    await remove(own);
    await expectNothing();
  }).timeout(180_000);

  it('adopts what was there once it is confirmed, and changes nothing before', async () => {
    const made = await account.peer.elb('CreateLoadBalancer', {
      Name: 'by-hand',
      Type: 'network',
      Scheme: 'internal',
      Subnets: account.network.internalSubnets.map(({ id }) => id),
      SecurityGroups: [account.network.securityGroupId],
    });
    const arn = text(objects(made.LoadBalancers)[0]?.LoadBalancerArn);
    const aws = { adopt: { arn }, securityGroups: [account.network.securityGroupId] };
    const asking = desire('adopts', { aws });
    expect(await turn(asking)).to.equal(0);
    const model = provider.build(asking);
    const { notProgrammed } = provider.status(model, await provider.observe(asking, undefined, never));
    const confirmed = /"([0-9a-f]+)"/.exec(notProgrammed?.message ?? '')?.[1] ?? '';
    expect(notProgrammed?.reason).to.equal('AdoptionNotConfirmed');
    expect(account.peer.calls.count({ operation: /^(Create|Modify|Set|Add|Register)/ })).to.equal(0);

    const desired = desire('adopts', { aws: { ...aws, adopt: { arn, confirmed } } });
    await settle(desired);
    expect(await account.loadBalancers()).to.deep.equal(['by-hand']);
    restart();
    const again = provider.build(desired);
    expect(
      provider.diff(again, await provider.observe(desired, again, never)).map(({ summary }) => summary),
    ).to.deep.equal([]);
    await remove(desired);
    await expectNothing();
  }).timeout(120_000);

  it('takes security groups by name, and knows them by it', async () => {
    await account.peer.ec2('CreateTags', {
      ResourceId: [account.network.securityGroupId],
      Tag: [{ Key: 'Name', Value: 'nodes of demo' }],
    });
    const desired = desire('named', { aws: { securityGroups: ['nodes of demo'] } });
    const model = await settle(desired);
    restart();
    expect(
      provider.diff(model, await provider.observe(desired, model, never)).map(({ summary }) => summary),
    ).to.deep.equal([]);
    const wrong = desire('wrong', { aws: { securityGroups: ['nobody'] } });
    expect(await failureOf(turn(wrong))).to.have.property('reason', 'SecurityGroupNotFound');
    await remove(desired);
  }).timeout(120_000);
});
