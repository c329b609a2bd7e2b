import { actionOf } from '../calls/classify-aws-error.ts';
import { OPERATIONS, type OperationName } from '../calls/operations.ts';
import { OWNER_TAGS } from '../tags.ts';

/** Every action that Fairlead ever calls, as IAM names it: made of the one list that all calls go through. */
export const IAM_ACTIONS: readonly string[] = operationNames().map(actionOf).sort();

/** As IAM has them; its JSON is what is given to IAM. */
export interface IamPolicy {
  Version: string;
  Statement: IamStatement[];
}

interface IamStatement {
  Sid: string;
  Effect: 'Allow';
  Action: string[];
  Resource: string;
  Condition?: Record<string, Record<string, string>>;
}

/**
 * Never called: ELBv2 looks at these in the name of whoever makes load balancers and target groups, or registers targets, and
 * refuses that to those who may not: https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-permissions.html,
 * and for security groups https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3917. What else it looks at
 * is among our own reads.
 */
const READ_BY_AWS = [
  'ec2:DescribeAccountAttributes',
  'ec2:DescribeAddresses',
  'ec2:DescribeInternetGateways',
  'ec2:DescribeVpcs',
  'ec2:GetSecurityGroupsForVpc',
];

/** Rules are changed in the nodes' group too, which isn't ours; a listener is made before it has tags. */
const ANYWHERE = [
  'ec2:AuthorizeSecurityGroupIngress',
  'ec2:CreateSecurityGroup',
  'ec2:RevokeSecurityGroupIngress',
];
/** With our tags in the same call, by which it's ours from its beginning; adopting is no more than that. */
const MAKING = [
  'elasticloadbalancing:AddTags',
  'elasticloadbalancing:CreateListener',
  'elasticloadbalancing:CreateLoadBalancer',
  'elasticloadbalancing:CreateTargetGroup',
  'ec2:CreateTags',
];

/** Other tags come and go later. */
const TAGGING = new Set(['elasticloadbalancing:AddTags', 'ec2:CreateTags']);

/**
 * The least that Fairlead needs, for the credentials of a LoadBalancerProvider, or for the role that they assume. With the
 * cluster's id nothing of another cluster may be changed; without it, nothing that is no cluster's.
 */
export function buildIamPolicy(clusterId?: string): IamPolicy {
  const reads = IAM_ACTIONS.filter((action) => action.includes(':Describe'));
  const special = new Set([...reads, ...ANYWHERE, ...MAKING].filter((action) => !TAGGING.has(action)));
  const statement = (Sid: string, Action: string[], Condition?: IamStatement['Condition']): IamStatement => ({
    Sid,
    Effect: 'Allow',
    Action,
    Resource: '*',
    ...(Condition === undefined ? {} : { Condition }),
  });
  return {
    Version: '2012-10-17',
    Statement: [
      statement('Read', reads),
      statement('ReadByAws', READ_BY_AWS),
      statement('MakeWithTags', MAKING, withTag('aws:RequestTag', clusterId)),
      statement(
        'ChangeWhatIsTagged',
        IAM_ACTIONS.filter((action) => !special.has(action)),
        withTag('aws:ResourceTag', clusterId),
      ),
      statement('SecurityGroupRules', ANYWHERE),
    ],
  };
}

/** What the credentials themselves need where a role is assumed with them: this, and nothing else. */
export function buildAssumeRolePolicy(roleArn: string): IamPolicy {
  const statement: IamStatement = {
    Sid: 'AssumeRole',
    Effect: 'Allow',
    Action: ['sts:AssumeRole'],
    Resource: roleArn,
  };
  return { Version: '2012-10-17', Statement: [statement] };
}

/** On what has our tag, or gets it in the same call. */
function withTag(
  where: 'aws:RequestTag' | 'aws:ResourceTag',
  clusterId: string | undefined,
): NonNullable<IamStatement['Condition']> {
  const key = `${where}/${OWNER_TAGS.cluster}`;
  return clusterId === undefined ? { Null: { [key]: 'false' } } : { StringEquals: { [key]: clusterId } };
}

function operationNames(): OperationName[] {
  const names: OperationName[] = [];
  for (const name in OPERATIONS) if (isOperation(name)) names.push(name);
  return names;
}

function isOperation(name: string): name is OperationName {
  return Object.hasOwn(OPERATIONS, name);
}
