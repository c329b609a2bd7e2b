import type { z } from 'zod';

/**
 * A rule that the API server checks at each write, in CEL (`x-kubernetes-validations`). Only functions that Kubernetes
 * 1.31 takes in a new CRD are used. Whatever is iterated needs a bound (maxItems, maxLength): the API server refuses a CRD whose rules
 * might get too costly. What `split` and `findAll` return counts there as unbounded strings; `substring` doesn't.
 */
export interface Rule {
  rule: string;
  /** What to do about it, for a person. */
  message: string;
  /** FieldValueDuplicate isn't among them: with it the API server leaves the message out. */
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';
  /** The field that is to blame, from where the rule stands: `.values`. */
  fieldPath?: string;
}

/** The same schema with rules for the API server; run-time parsing doesn't check them. */
export function withRules<T extends z.ZodType>(schema: T, ...rules: Rule[]): T {
  return schema.meta({ 'x-kubernetes-validations': rules });
}

/** The value may be set at creation only. */
export function immutable(what: string, instead: string): Rule {
  return {
    rule: 'self == oldSelf',
    message: `${what} can't be changed: ${instead}`,
    reason: 'FieldValueForbidden',
  };
}

/** Of optional members, exactly one is set. */
export function exactlyOneOf(members: readonly string[]): Rule {
  const list = members.map((name) => `has(self.${name})`).join(', ');
  return {
    rule: `[${list}].filter(isSet, isSet).size() == 1`,
    message: `set exactly one of: ${members.join(', ')}`,
    reason: 'FieldValueInvalid',
  };
}

/** The member of such a union that is set stays the one that is set. */
export function sameMember(members: readonly string[], instead: string): Rule {
  return {
    rule: members.map((name) => `has(self.${name}) == has(oldSelf.${name})`).join(' && '),
    message: `which of ${members.join(', ')} is set can't be changed: ${instead}`,
    reason: 'FieldValueForbidden',
  };
}

/** No two elements of a list of plain values are equal. */
export function noDuplicates(what: string): Rule {
  return {
    rule: 'self.all(a, self.exists_one(b, a == b))',
    message: `name each ${what} once: one is there twice`,
    reason: 'FieldValueInvalid',
  };
}
