/** A policy of identities, as IAM has them: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html */
export interface Policy {
  Version: string;
  Statement: readonly Statement[];
}

export interface Statement {
  Sid: string;
  Effect: 'Allow' | 'Deny';
  Action: readonly string[];
  Resource: string | readonly string[];
  /** By operator and key. */
  Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** One thing that somebody wants to do to something. A call may need several. */
export interface Request {
  /** `elasticloadbalancing:AddTags`. */
  action: string;
  /** ARN; `*` for what has none. */
  resource: string;
  /** Condition keys with what they are in this request: `aws:RequestTag/Name`, `aws:ResourceTag/Name`. */
  context: Readonly<Record<string, string>>;
}

/** May do everything. */
export const ADMINISTRATOR: Policy = {
  Version: '2012-10-17',
  Statement: [{ Sid: 'Everything', Effect: 'Allow', Action: ['*'], Resource: '*' }],
};

/**
 * The Sids of the statements that allow it; none: it's refused. A statement that denies it goes before all others.
 * Throws for what isn't known here: nothing is taken for granted.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export function evaluatePolicy({ Statement }: Policy, request: Request): string[] {
  const fitting = Statement.filter((statement) => fits(statement, request));
  if (fitting.some(({ Effect }) => Effect === 'Deny')) return [];
  return fitting.map(({ Sid }) => Sid);
}

/** Whether what may be done depends on the tags of what it's done to. */
export function asksForResourceTags({ Statement }: Policy, action: string): boolean {
  return Statement.some(
    ({ Action, Condition = {} }) =>
      Action.some((pattern) => isLike(action, pattern, 'i')) &&
      Object.values(Condition).some((keys) => Object.keys(keys).some((key) => key.startsWith(RESOURCE_TAG))),
  );
}

export const RESOURCE_TAG = 'aws:ResourceTag/';
export const REQUEST_TAG = 'aws:RequestTag/';

function fits({ Action, Condition = {}, Resource }: Statement, request: Request): boolean {
  return (
    Action.some((pattern) => isLike(request.action, pattern, 'i')) &&
    [Resource].flat().some((pattern) => isLike(request.resource, pattern)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) =>
        holds(operator, [values].flat(), valueIn(request.context, key)),
      ),
    )
  );
}

/** Names of keys are the same in capitals and small letters. */
function valueIn(context: Request['context'], key: string): string | undefined {
  const wanted = key.toLowerCase();
  return Object.entries(context).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
function holds(operator: string, values: readonly string[], actual: string | undefined): boolean {
  switch (operator) {
    case 'StringEquals':
      return actual !== undefined && values.includes(actual);
    case 'StringNotEquals':
      return actual === undefined || !values.includes(actual);
    case 'StringLike':
      return actual !== undefined && values.some((value) => isLike(actual, value));
    case 'Null':
      return values.includes(String(actual === undefined));
    default:
      throw new Error(`the condition operator ${operator} isn't known here`);
  }
}

/** `*` is any text, `?` any character. */
function isLike(text: string, pattern: string, flags = ''): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, `s${flags}`).test(text);
}
