import { expect } from 'chai';
import { ClassedError } from '../../../kube/errors.ts';
import { eventually } from '../../support/eventually.ts';
import { Account, failureOf, never } from './support/account.ts';
import { creation, modelOf, subjectOf } from './support/fixture.ts';
import { Turns } from './support/turns.ts';

describe('aws: errors in words', () => {
  let account: Account;
  before(async function () {
    this.timeout(120_000);
    account = await Account.start();
  });
  after(() => account.peer.stop());
  afterEach(() => account.peer.heal());

  async function failing(
    service: string,
    error: { code: string; message: string; status?: number },
    operation: string,
  ) {
    account.peer.inject({ operation, fault: { error } });
    const subject = subjectOf(account.provider, service);
    const model = modelOf(subject, account.network, { withSecurityGroup: false });
    const failure = await failureOf(account.apply(creation(model, account.network), subject));
    if (!(failure instanceof ClassedError)) throw failure ?? new Error('nothing failed');
    return failure;
  }

  it('tell which subnet is full, and how full', async () => {
    const [subnet] = account.network.internalSubnets;
    account.peer.setFreeAddresses(subnet?.id ?? '', 3);
    const subject = subjectOf(account.provider, 'full');
    const model = modelOf(subject, account.network, { withSecurityGroup: false });
    const failure = await failureOf(account.apply(creation(model, account.network), subject));
    expect(failure).to.be.an.instanceOf(ClassedError);
    expect(failure)
      .to.have.property('message')
      .that.matches(new RegExp(`^Subnet ${subnet?.id} has 3 free addresses; 8 are needed`));
    account.peer.setFreeAddresses(subnet?.id ?? '', 3000);
  });

  it('tell which quota is used up', async () => {
    account.peer.quotas.loadBalancers = 0;
    const subject = subjectOf(account.provider, 'quota');
    const model = modelOf(subject, account.network, { withSecurityGroup: false });
    const failure = await failureOf(account.apply(creation(model, account.network), subject));
    expect(failure)
      .to.have.property('message')
      .that.matches(/^The quota of load balancers is used up/);
    expect(failure).to.include({ class: 'Transient', reason: 'TooManyLoadBalancers', retryAfterSeconds: 60 });
    account.peer.quotas.loadBalancers = Number.POSITIVE_INFINITY;
  });

  it('tell which action the policy lacks', async () => {
    const message =
      'User: arn:aws:iam::1:user/x is not authorized to perform: elasticloadbalancing:CreateTargetGroup on resource: *';
    const failure = await failing(
      'denied',
      { code: 'AccessDenied', message, status: 403 },
      'CreateTargetGroup',
    );
    expect(failure.reason).to.equal('AccessDenied');
    expect(failure.message).to.match(
      /^elasticloadbalancing:CreateTargetGroup is missing from the IAM policy/,
    );
    expect(failure.code).to.equal(403);
  });

  it('tell what is wrong with a request, and wait for a change', async () => {
    const error = { code: 'InvalidConfigurationRequest', message: 'The port is odd' };
    const failure = await failing('wrong', error, 'CreateListener');
    expect(failure).to.include({ class: 'Rejected', reason: 'InvalidConfigurationRequest' });
    expect(failure.message).to.equal('AWS refuses CreateListener as it is asked for: The port is odd');
  });

  it('tell which target AWS takes none of, and keep no other out', async () => {
    const [stopped, running] = account.network.instances;
    if (stopped === undefined || running === undefined) throw new Error('there are two');
    await account.peer.ec2('StopInstances', { InstanceId: [stopped.id] });
    const turns = new Turns(account);
    const desired = turns.desire('stopped', 30080);
    await turns.turn(desired);
    const observed = await turns.provider.observe(desired, undefined, never);
    expect(observed.targetGroups[0]?.targets.map(({ id }) => id)).to.deep.equal([running.id]);
    expect(observed.loadBalancers[0]?.listeners).to.have.length(1);
    await eventually(async () => {
      // As the operator: by the time of the look it may be due to be tried again.
      await turns.turn(desired);
      const now = await turns.provider.observe(desired, undefined, never);
      const { unhealthy } = turns.provider.status(turns.provider.build(desired), now);
      expect(unhealthy?.message ?? '')
        .to.contain(stopped.id)
        .and.to.contain('not in a running state');
    }, 30_000);
    await account.peer.ec2('StartInstances', { InstanceId: [stopped.id] });
    const model = await turns.settle(desired);
    expect(turns.provider.status(model, await turns.provider.observe(desired, undefined, never)))
      .to.have.property('targets')
      .that.deep.equals({ desired: 2, healthy: 2 });
    await turns.remove(desired);
  }).timeout(120_000);
});
