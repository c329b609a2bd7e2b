import { expect } from 'chai';
import { buildIamPolicy } from '../../../../providers/aws/docs/iam-policy.ts';
import { neededGrants } from '../../../peers/aws/rights/granted.ts';

/** Throws when the IAM policy allows what no test of this run needed: each statement and action has to be the only way of some call. */
export function expectNoIdleGrants(): void {
  const needed = neededGrants();
  const idle = buildIamPolicy()
    .Statement.flatMap(({ Action, Sid }) => Action.map((action) => `${Sid}: ${action}`))
    .filter((grant) => !needed.has(grant));
  expect(idle, 'rights in the IAM policy that no test needs').to.deep.equal([]);
}
