import { actionOf } from '../calls/classify-aws-error.ts';
import { OPERATIONS, type OperationName } from '../calls/operations.ts';
import { OWNER_TAGS } from '../tags.ts';

/** Every action that Fairlead ever calls, as IAM names it: made of the one list that all calls go through. */
export const IAM_ACTIONS: readonly string[] = operationNames().map(actionOf).sort();

interface Statement {
  Sid: string;
  Effect: 'Allow';
  Action: string[];
  Resource: string;
  Condition?: Record<string, Record<string, string>>;
}

/** On what was made with our tags, and on that alone. */
const OURS = { Null: { [`aws:ResourceTag/${OWNER_TAGS.cluster}`]: 'false' } };
const MADE_AS_OURS = { Null: { [`aws:RequestTag/${OWNER_TAGS.cluster}`]: 'false' } };

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

/** The least that Fairlead needs, for the credentials of a LoadBalancerProvider. */
export function buildIamPolicy(): { Version: string; Statement: Statement[] } {
  const reads = IAM_ACTIONS.filter((action) => action.includes(':Describe'));
  const special = new Set([...reads, ...ANYWHERE, ...MAKING].filter((action) => !TAGGING.has(action)));
  const statement = (Sid: string, Action: string[], Condition?: Statement['Condition']): Statement => ({
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
      statement('MakeWithTags', MAKING, MADE_AS_OURS),
      statement(
        'ChangeWhatIsTagged',
        IAM_ACTIONS.filter((action) => !special.has(action)),
        OURS,
      ),
      statement('SecurityGroupRules', ANYWHERE),
    ],
  };
}

function operationNames(): OperationName[] {
  const names: OperationName[] = [];
  for (const name in OPERATIONS) if (isOperation(name)) names.push(name);
  return names;
}

function isOperation(name: string): name is OperationName {
  return Object.hasOwn(OPERATIONS, name);
}
