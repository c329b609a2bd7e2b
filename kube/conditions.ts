import type { Condition } from './objects.ts';

/** The API server refuses longer messages (`metav1.Condition`, maxLength). */
export const LONGEST_MESSAGE = 32_768;

export type ConditionInput = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'> & {
  observedGeneration?: number | undefined;
};

/** The condition of this type, if any. */
export function findCondition(
  conditions: readonly Condition[] | null | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/**
 * The conditions with this one set: in its old place, or at the end. `lastTransitionTime` moves to `now` (RFC 3339) only
 * when `status` changes.
 */
export function setCondition(
  conditions: readonly Condition[] | null | undefined,
  input: ConditionInput,
  now: string,
): Condition[] {
  const old = findCondition(conditions, input.type);
  const condition: Condition = {
    type: input.type,
    status: input.status,
    reason: input.reason,
    message: truncateMessage(input.message, LONGEST_MESSAGE),
    lastTransitionTime: old !== undefined && old.status === input.status ? old.lastTransitionTime : now,
    ...(input.observedGeneration === undefined ? {} : { observedGeneration: input.observedGeneration }),
  };
  if (old === undefined) return [...(conditions ?? []), condition];
  return (conditions ?? []).map((each) => (each.type === input.type ? condition : each));
}

/** Cuts to at most `longest` UTF-16 units, never inside a surrogate pair, with an ellipsis at the cut. */
export function truncateMessage(message: string, longest: number): string {
  if (message.length <= longest) return message;
  const cut = message.slice(0, longest - 1);
  const last = cut.charCodeAt(cut.length - 1);
  return `${last >= 0xd800 && last <= 0xdbff ? cut.slice(0, -1) : cut}…`;
}
