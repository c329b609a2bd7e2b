import type { AwsChange } from '../changes.ts';
import type { AwsModel } from '../model.ts';
import type { AwsObserved } from '../observed.ts';
import { chooseCurrent, mayReplace } from './choose-current.ts';
import { diffModel } from './diff-model.ts';

/** The difference, and after it what was left in other stacks: those go when this one serves, or nothing is wanted. */
export function diffSubject(model: AwsModel | undefined, observed: AwsObserved): AwsChange[] {
  const changes = diffModel(model, observed);
  const { elsewhere = [] } = observed;
  if (elsewhere.length === 0) return changes;
  if (model !== undefined && (changes.length > 0 || !mayReplace(chooseCurrent(model, observed), observed)))
    return changes;
  const left = elsewhere.flatMap((other) =>
    diffModel(undefined, other.observed).map((change) => ({ ...change, stack: other.stack })),
  );
  return [...changes, ...left];
}
