import { expect } from 'chai';
import { buildIamPolicy } from '../../../../providers/aws/docs/iam-policy.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import type { PlainObject } from '../../../peers/aws/plain.ts';
import { evaluatePolicy, type Policy } from '../../../peers/aws/rights/evaluate-policy.ts';
import { neededRights } from '../../../peers/aws/rights/needed-rights.ts';

const ARN = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/1';
const TAG = { [`aws:ResourceTag/${OWNER_TAGS.cluster}`]: 'c-1' };

/**
 * What AWS looks at in EC2 in the name of the caller, by what is called:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html, and for security groups
 * https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3917
 */
const LOOKED_AT: [operation: string, parameters: PlainObject, actions: string[]][] = [
  [
    'CreateLoadBalancer',
    { Name: 'web', SecurityGroups: ['sg-1'] },
    [
      'ec2:DescribeAccountAttributes',
      'ec2:DescribeAddresses',
      'ec2:DescribeInternetGateways',
      'ec2:DescribeSecurityGroups',
      'ec2:DescribeSubnets',
      'ec2:DescribeVpcs',
      'ec2:GetSecurityGroupsForVpc',
    ],
  ],
  ['CreateTargetGroup', { Name: 'web' }, ['ec2:DescribeInternetGateways', 'ec2:DescribeVpcs']],
  [
    'RegisterTargets',
    { TargetGroupArn: ARN },
    ['ec2:DescribeInstances', 'ec2:DescribeInternetGateways', 'ec2:DescribeSubnets', 'ec2:DescribeVpcs'],
  ],
  ['SetIpAddressType', { LoadBalancerArn: ARN }, ['ec2:DescribeSubnets']],
  ['SetSubnets', { LoadBalancerArn: ARN }, ['ec2:DescribeSubnets']],
];

/** Fairlead's policy, but for one action. */
function policyWithout(missing: string): Policy {
  const { Statement, Version } = buildIamPolicy();
  const left = Statement.map((each) => ({
    ...each,
    Action: each.Action.filter((action) => action !== missing),
  }));
  return { Version, Statement: left };
}

/** What of a call the policy doesn't allow. */
function denied(policy: Policy, operation: string, parameters: PlainObject): string[] {
  const Tags = operation.startsWith('Create') ? [{ Key: OWNER_TAGS.cluster, Value: 'c-1' }] : [];
  const call = {
    service: 'elasticloadbalancing',
    region: 'eu-central-1',
    operation,
    parameters: { ...parameters, Tags },
  };
  return neededRights(call)
    .filter(({ context, tagged, ...right }) => {
      const request = { ...right, context: { ...context, ...(tagged === undefined ? {} : TAG) } };
      return evaluatePolicy(policy, request).length === 0;
    })
    .map(({ action }) => action);
}

describe('stand-in for AWS: rights that a call needs beside its own', () => {
  for (const [operation, parameters, actions] of LOOKED_AT) {
    it(`are those of EC2 for ${operation}, each of them, and Fairlead's policy has them`, () => {
      expect(denied(buildIamPolicy(), operation, parameters)).to.deep.equal([]);
      for (const missing of actions) {
        expect(denied(policyWithout(missing), operation, parameters)).to.deep.equal([missing]);
      }
    });
  }

  it('are none of security groups where a load balancer has none', () => {
    const policy = policyWithout('ec2:GetSecurityGroupsForVpc');
    expect(denied(policy, 'CreateLoadBalancer', { Name: 'web' })).to.deep.equal([]);
  });
});
