import {
  DeleteLoadBalancerCommand,
  ModifyLoadBalancerAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect } from 'chai';
import { createAwsAccess } from '../../../providers/aws/calls/aws-access.ts';
import { diffSubject } from '../../../providers/aws/diff/diff-subject.ts';
import { buildIamPolicy, type IamPolicy } from '../../../providers/aws/docs/iam-policy.ts';
import { objects, text } from '../../peers/aws/plain.ts';
import { clientsOf, createLoadBalancer, refused } from '../aws-peer/support.ts';
import { Account, failureOf, limits, never } from './support/account.ts';
import { CLUSTER_ID, creation, deletion, modelOf, subjectOf } from './support/fixture.ts';

describe('aws: rights', function () {
  this.timeout(120_000);
  let account: Account;
  before(async () => {
    account = await Account.start();
  });
  after(() => account.peer.stop());

  const accessAs = (accessKey: string) =>
    createAwsAccess({
      limits: limits(100),
      readSecret: async () => ({ aws_access_key_id: accessKey, aws_secret_access_key: 'x' }),
    });

  it('do not reach what lacks our tags, whoever asks with our credentials', async () => {
    const { elb } = clientsOf(account.peer);
    const theirs = await account.peer.elb('CreateLoadBalancer', {
      Name: 'theirs',
      Type: 'network',
      Subnets: account.network.publicSubnets.map(({ id }) => id),
    });
    const LoadBalancerArn = text(objects(theirs.LoadBalancers)[0]?.LoadBalancerArn);
    const remove = await refused(elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn })));
    expect(remove).to.include({ code: 'AccessDenied', status: 403 });
    expect(remove.message).to.contain(
      `elasticloadbalancing:DeleteLoadBalancer on resource: ${LoadBalancerArn}`,
    );
    const Attributes = [{ Key: 'deletion_protection.enabled', Value: 'true' }];
    const set = elb.send(new ModifyLoadBalancerAttributesCommand({ LoadBalancerArn, Attributes }));
    expect(await refused(set)).to.include({ code: 'AccessDenied' });
    const untagged = createLoadBalancer({ ...clientsOf(account.peer) }, account.network, {
      Name: 'untagged',
    });
    expect(await refused(untagged)).to.include({ code: 'AccessDenied' });
    expect(await account.loadBalancers()).to.deep.equal(['theirs']);
  });

  it('bound to a cluster are enough for it, and too little for another', async () => {
    account.peer.rights.give('AKIAOFTHIS', buildIamPolicy(CLUSTER_ID));
    account.peer.rights.give('AKIAOFANOTHER', buildIamPolicy('another-cluster'));
    const subject = subjectOf(account.provider, 'bound');
    const model = modelOf(subject, account.network);
    const own = accessAs('AKIAOFTHIS');
    for (const each of creation(model, account.network)) await own.apply(each, subject, never);
    const observed = await own.observe(subject, model, never);
    expect(diffSubject(model, observed)).to.deep.equal([]);

    const other = accessAs('AKIAOFANOTHER');
    const [first] = deletion(model);
    if (first === undefined) throw new Error('nothing to delete');
    const failure = await failureOf(other.apply(first, subject, never));
    expect(failure).to.have.property('reason', 'AccessDenied');

    for (const each of deletion(model)) await own.apply(each, subject, never);
    expect(await account.loadBalancers()).to.deep.equal(['theirs']);
  });

  it('bound to tags never keep what is gone from being taken away', async () => {
    const subject = subjectOf(account.provider, 'gone');
    const model = modelOf(subject, account.network);
    await account.apply(creation(model, account.network), subject);
    const { loadBalancers, targetGroups } = await account.observe(subject);
    // By hand, and none too early for that to be known.
    account.peer.rights.deniesGone = true;
    for (const { arn } of loadBalancers)
      await account.peer.elb('DeleteLoadBalancer', { LoadBalancerArn: arn });
    for (const { arn } of targetGroups) await account.peer.elb('DeleteTargetGroup', { TargetGroupArn: arn });
    await account.apply(deletion(model), subject);
    expect(account.reports.some(({ code }) => code === 'AccessDenied')).to.equal(true);
    account.peer.rights.deniesGone = false;
    expect(await account.loadBalancers()).to.deep.equal(['theirs']);
    expect(await account.securityGroups()).to.deep.equal([]);
  });

  it('that are missing are told by their name', async () => {
    account.peer.rights.give('AKIALACKS', policyWithout('ec2:CreateTags'));
    const subject = subjectOf(account.provider, 'lacks');
    const model = modelOf(subject, account.network);
    const [first] = creation(model, account.network);
    if (first === undefined) throw new Error('nothing to create');
    // Made with tags: that right is needed as well as the one to make it.
    const failure = await failureOf(accessAs('AKIALACKS').apply(first, subject, never));
    expect(failure).to.have.property('reason', 'UnauthorizedOperation');
    expect(String(failure)).to.contain('ec2:CreateTags is missing from the IAM policy');
  });

  it('that AWS asks for in turn are told by their name, too', async () => {
    account.peer.rights.give('AKIATURN', policyWithout('ec2:DescribeAccountAttributes'));
    const subject = subjectOf(account.provider, 'turn');
    const own = accessAs('AKIATURN');
    const make = async () => {
      for (const each of creation(modelOf(subject, account.network), account.network))
        await own.apply(each, subject, never);
    };
    const failure = await failureOf(make());
    expect(failure).to.have.property('reason', 'AccessDenied');
    expect(String(failure)).to.contain('ec2:DescribeAccountAttributes is missing from the IAM policy');
    expect(account.peer.calls.count({ operation: 'CreateLoadBalancer' })).to.be.at.least(1);
  });
});

/** Fairlead's policy, but for one action. */
function policyWithout(missing: string): IamPolicy {
  const { Statement, Version } = buildIamPolicy();
  const left = Statement.map((each) => ({
    ...each,
    Action: each.Action.filter((action) => action !== missing),
  }));
  return { Version, Statement: left };
}
