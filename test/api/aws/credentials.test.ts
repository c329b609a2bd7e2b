import { expect } from 'chai';
import type { AwsConfig } from '../../../crds/aws-provider.ts';
import { ClassedError } from '../../../kube/errors.ts';
import { createAwsAccess } from '../../../providers/aws/calls/aws-access.ts';
import { buildAssumeRolePolicy } from '../../../providers/aws/docs/iam-policy.ts';
import { Account, failureOf, limits, never } from './support/account.ts';
import { subjectOf } from './support/fixture.ts';

describe('aws: credentials', () => {
  let account: Account;
  before(async function () {
    this.timeout(120_000);
    account = await Account.start();
  });
  after(() => account.peer.stop());
  beforeEach(() => account.peer.calls.reset());

  function withCredentials(credentials: AwsConfig['credentials'], name = 'nlb') {
    const { spec } = account.provider;
    const { credentials: _, ...aws } = spec.aws ?? { region: account.peer.region };
    return {
      name,
      spec: { ...spec, aws: { ...aws, ...(credentials === undefined ? {} : { credentials }) } },
    };
  }

  function access(secrets: Record<string, Record<string, string>>, asked: string[] = []) {
    return createAwsAccess({
      limits: limits(100),
      readSecret: async (name) => {
        asked.push(name);
        const secret = secrets[name];
        if (secret === undefined) {
          throw new ClassedError(`no Secret "${name}"`, { class: 'NotFound', reason: 'NotFound' });
        }
        return secret;
      },
    });
  }

  it('come from the Secret that the provider names, read once for many calls', async () => {
    const asked: string[] = [];
    const own = access({ keys: { aws_access_key_id: 'AKIASECRET', aws_secret_access_key: 'x' } }, asked);
    const subject = subjectOf(withCredentials({ secretName: 'keys' }), 'a');
    const observed = await Promise.all([1, 2, 3].map(() => own.observe(subject, undefined, never)));
    expect(observed[0]?.network?.subnets.length).to.be.at.least(4);
    expect(asked).to.deep.equal(['keys']);
  });

  it('that lack a key are told with the name of the Secret and of the key', async () => {
    const own = access({ keys: { aws_access_key_id: 'AKIASECRET' } });
    const subject = subjectOf(withCredentials({ secretName: 'keys' }), 'a');
    const failure = await failureOf(own.observe(subject, undefined, never));
    expect(failure).to.be.an.instanceOf(ClassedError);
    expect(failure).to.have.property('message', 'Secret "keys" has no key aws_secret_access_key.');
  });

  it('that are not there are asked for again by the next turn', async () => {
    const secrets: Record<string, Record<string, string>> = {};
    const own = access(secrets);
    const subject = subjectOf(withCredentials({ secretName: 'keys' }), 'a');
    expect(await failureOf(own.observe(subject, undefined, never))).to.have.property('class', 'NotFound');
    secrets.keys = { aws_access_key_id: 'AKIASECRET', aws_secret_access_key: 'x' };
    await own.observe(subject, undefined, never);
  });

  it('of a role are got from STS, with what the provider says of it', async () => {
    const own = access({ keys: { aws_access_key_id: 'AKIAASSUMES', aws_secret_access_key: 'x' } });
    const assumeRole = {
      arn: 'arn:aws:iam::123456789012:role/fairlead',
      externalID: 'outside',
      sessionName: 'prod',
    };
    account.peer.rights.give('AKIAASSUMES', buildAssumeRolePolicy(assumeRole.arn));
    const subject = subjectOf(withCredentials({ secretName: 'keys', assumeRole }), 'a');
    await own.observe(subject, undefined, never);
    const assumed = account.peer.calls.matching({ service: 'sts' });
    expect(assumed.map(({ operation }) => operation)).to.include('AssumeRole');
    // What is signed with afterwards is what STS gave.
    expect(account.peer.calls.count({ operation: 'DescribeSubnets' })).to.equal(1);
  });

  it('that may not assume the role are told so', async () => {
    const own = access({ keys: { aws_access_key_id: 'AKIANONE', aws_secret_access_key: 'x' } });
    account.peer.rights.give('AKIANONE', buildAssumeRolePolicy('arn:aws:iam::123456789012:role/another'));
    const assumeRole = { arn: 'arn:aws:iam::123456789012:role/fairlead' };
    const subject = subjectOf(withCredentials({ secretName: 'keys', assumeRole }, 'refused'), 'a');
    const failure = await failureOf(own.observe(subject, undefined, never));
    expect(failure).to.have.property('reason', 'AccessDenied');
    expect(String(failure)).to.contain('sts:AssumeRole is missing from the IAM policy');
  });

  it('come from the environment when the provider names none', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 'x' });
    try {
      await access({}).observe(subjectOf(withCredentials(undefined), 'a'), undefined, never);
    } finally {
      process.env = before;
    }
    expect(account.peer.calls.count({ operation: 'DescribeSubnets' })).to.equal(1);
  });

  it('are the same for two providers that say the same: one memory, one set of buckets', async () => {
    const own = access({ keys: { aws_access_key_id: 'AKIASECRET', aws_secret_access_key: 'x' } });
    const credentials = { secretName: 'keys' };
    await own.observe(subjectOf(withCredentials(credentials, 'one'), 'a'), undefined, never);
    account.peer.calls.reset();
    await own.observe(subjectOf(withCredentials(credentials, 'two'), 'a'), undefined, never);
    expect(account.peer.calls.count()).to.equal(0);
  });
});
