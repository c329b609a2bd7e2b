import { expect } from 'chai';
import { buildAssumeRolePolicy, buildIamPolicy } from '../../../../providers/aws/docs/iam-policy.ts';
import {
  ADMINISTRATOR,
  asksForResourceTags,
  evaluatePolicy,
  type Policy,
  type Request,
  type Statement,
} from '../../../peers/aws/rights/evaluate-policy.ts';

const LISTENER = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/net/web/1/2';

const policyOf = (...statements: Partial<Statement>[]): Policy => ({
  Version: '2012-10-17',
  Statement: statements.map((each, index) => ({
    Sid: `S${index}`,
    Effect: 'Allow',
    Action: ['ec2:*'],
    Resource: '*',
    ...each,
  })),
});

const request = (rest: Partial<Request> = {}): Request => ({
  action: 'ec2:DeleteTags',
  resource: 'arn:aws:ec2:eu-central-1:123456789012:security-group/sg-1',
  context: {},
  ...rest,
});

describe('stand-in for AWS: policies', () => {
  it('refuse what no statement allows', () => {
    expect(evaluatePolicy(policyOf({ Action: ['ec2:CreateTags'] }), request())).to.deep.equal([]);
    expect(evaluatePolicy(policyOf(), request())).to.deep.equal([]);
    expect(evaluatePolicy(policyOf({}), request())).to.deep.equal(['S0']);
  });

  it('name every statement that allows it', () => {
    expect(evaluatePolicy(policyOf({}, { Action: ['ec2:DeleteTags'] }), request())).to.deep.equal([
      'S0',
      'S1',
    ]);
  });

  it('let a statement that denies go before all that allow', () => {
    expect(evaluatePolicy(policyOf({}, { Effect: 'Deny' }), request())).to.deep.equal([]);
    const another = { Effect: 'Deny', Resource: 'arn:aws:ec2:*:*:vpc/*' } as const;
    expect(evaluatePolicy(policyOf({}, another), request())).to.deep.equal(['S0']);
  });

  const fits: [what: string, statement: Partial<Statement>, rest: Partial<Request>][] = [
    ['an action in other letters', { Action: ['EC2:deletetags'] }, {}],
    ['an action with a wildcard', { Action: ['ec2:D?lete*'] }, {}],
    ['a thing with a wildcard', { Resource: 'arn:aws:ec2:*:*:security-group/*' }, {}],
    ['one of several things', { Resource: ['arn:aws:ec2:*:*:vpc/*', '*:security-group/sg-1'] }, {}],
    [
      'a text that is equal',
      { Condition: { StringEquals: { 'aws:RequestTag/a': 'x' } } },
      { context: { 'aws:RequestTag/a': 'x' } },
    ],
    [
      'one of several texts',
      { Condition: { StringEquals: { 'aws:RequestTag/a': ['y', 'x'] } } },
      { context: { 'aws:RequestTag/a': 'x' } },
    ],
    [
      'a key in other letters',
      { Condition: { StringEquals: { 'AWS:requestTag/a': 'x' } } },
      { context: { 'aws:RequestTag/a': 'x' } },
    ],
    [
      'a text that is like it',
      { Condition: { StringLike: { 'aws:RequestTag/a': 'sh*' } } },
      { context: { 'aws:RequestTag/a': 'shop' } },
    ],
    [
      'a text that differs',
      { Condition: { StringNotEquals: { 'aws:RequestTag/a': 'x' } } },
      { context: { 'aws:RequestTag/a': 'y' } },
    ],
    [
      'a key that is there',
      { Condition: { Null: { 'aws:RequestTag/a': 'false' } } },
      { context: { 'aws:RequestTag/a': '' } },
    ],
    ['a key that is not there', { Condition: { Null: { 'aws:RequestTag/a': 'true' } } }, {}],
  ];
  for (const [what, statement, rest] of fits) {
    it(`take ${what}`, () => {
      expect(evaluatePolicy(policyOf(statement), request(rest))).to.deep.equal(['S0']);
    });
  }

  const misses: [what: string, statement: Partial<Statement>, rest: Partial<Request>][] = [
    ['a thing in other letters', { Resource: 'ARN:aws:ec2:*' }, {}],
    [
      'a dot for any character',
      { Resource: 'arn:aws:ec2:eu-central-1:123456789012:security-group.sg-1' },
      {},
    ],
    [
      'a text that differs',
      { Condition: { StringEquals: { 'aws:RequestTag/a': 'x' } } },
      { context: { 'aws:RequestTag/a': 'X' } },
    ],
    ['a key that is not there', { Condition: { StringEquals: { 'aws:RequestTag/a': 'x' } } }, {}],
    [
      'one condition of two',
      { Condition: { Null: { 'aws:RequestTag/a': 'false', 'aws:RequestTag/b': 'false' } } },
      { context: { 'aws:RequestTag/a': 'x' } },
    ],
    [
      'one operator of two',
      { Condition: { Null: { 'aws:RequestTag/a': 'false' }, StringEquals: { 'aws:RequestTag/a': 'x' } } },
      { context: { 'aws:RequestTag/a': 'y' } },
    ],
  ];
  for (const [what, statement, rest] of misses) {
    it(`don't take ${what}`, () => {
      expect(evaluatePolicy(policyOf(statement), request(rest))).to.deep.equal([]);
    });
  }

  it('take nothing for granted that they do not know', () => {
    const policy = policyOf({ Condition: { NumericLessThan: { 'aws:MultiFactorAuthAge': '10' } } });
    expect(() => evaluatePolicy(policy, request())).to.throw('NumericLessThan');
  });

  it('say whether tags matter', () => {
    expect(asksForResourceTags(buildIamPolicy(), 'elasticloadbalancing:DeleteListener')).to.equal(true);
    expect(asksForResourceTags(buildIamPolicy(), 'ec2:RevokeSecurityGroupIngress')).to.equal(false);
    expect(asksForResourceTags(ADMINISTRATOR, 'ec2:DeleteTags')).to.equal(false);
  });
});

describe("Fairlead's policy", () => {
  const CLUSTER = 'fairlead.dev/cluster';
  const change = (context: Request['context']): Request => ({
    action: 'elasticloadbalancing:DeleteListener',
    resource: LISTENER,
    context,
  });

  it('lets nobody change what lacks the tag', () => {
    const policy = buildIamPolicy();
    expect(evaluatePolicy(policy, change({}))).to.deep.equal([]);
    expect(evaluatePolicy(policy, change({ 'aws:ResourceTag/Name': 'web' }))).to.deep.equal([]);
    expect(evaluatePolicy(policy, change({ [`aws:ResourceTag/${CLUSTER}`]: 'any' }))).to.have.length(1);
  });

  it('is of one cluster where its id is given', () => {
    const policy = buildIamPolicy('mine');
    expect(evaluatePolicy(policy, change({ [`aws:ResourceTag/${CLUSTER}`]: 'theirs' }))).to.deep.equal([]);
    expect(evaluatePolicy(policy, change({ [`aws:ResourceTag/${CLUSTER}`]: 'mine' }))).to.have.length(1);
    const making = { ...change({}), action: 'elasticloadbalancing:CreateListener' };
    const made = (id: string) => ({ ...making, context: { [`aws:RequestTag/${CLUSTER}`]: id } });
    expect(evaluatePolicy(policy, made('theirs'))).to.deep.equal([]);
    expect(evaluatePolicy(policy, made('mine'))).to.have.length(1);
  });

  it('of a role lets nothing be done but assume it', () => {
    const role = 'arn:aws:iam::123456789012:role/fairlead';
    const policy = buildAssumeRolePolicy(role);
    const assume = { action: 'sts:AssumeRole', context: {} };
    expect(evaluatePolicy(policy, { ...assume, resource: role })).to.deep.equal(['AssumeRole']);
    expect(evaluatePolicy(policy, { ...assume, resource: `${role}-2` })).to.deep.equal([]);
    expect(evaluatePolicy(policy, change({ [`aws:ResourceTag/${CLUSTER}`]: 'any' }))).to.deep.equal([]);
  });
});
