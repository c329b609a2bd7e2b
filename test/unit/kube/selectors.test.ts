import { expect } from 'chai';
import type { LabelSelector } from '../../../kube/objects.ts';
import { matchesSelector } from '../../../kube/selectors.ts';

const labels = { app: 'web', tier: 'front' };
const cases: [
  what: string,
  selector: LabelSelector | undefined,
  labels: typeof labels | undefined,
  boolean,
][] = [
  ['no selector matches all', undefined, labels, true],
  ['an empty selector matches all', {}, undefined, true],
  ['a label that is equal', { matchLabels: { app: 'web' } }, labels, true],
  ['a label that differs', { matchLabels: { app: 'db' } }, labels, false],
  ['one of two labels', { matchLabels: { app: 'web', tier: 'back' } }, labels, false],
  ['a label, of an object without labels', { matchLabels: { app: 'web' } }, undefined, false],
  [
    'In, present',
    { matchExpressions: [{ key: 'app', operator: 'In', values: ['db', 'web'] }] },
    labels,
    true,
  ],
  ['In, absent key', { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, labels, false],
  [
    'NotIn, other value',
    { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['db'] }] },
    labels,
    true,
  ],
  [
    'NotIn, that value',
    { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] },
    labels,
    false,
  ],
  [
    'NotIn, absent key',
    { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] },
    labels,
    true,
  ],
  ['Exists', { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, labels, true],
  ['Exists, absent key', { matchExpressions: [{ key: 'zone', operator: 'Exists' }] }, labels, false],
  [
    'DoesNotExist, absent key',
    { matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] },
    labels,
    true,
  ],
  ['DoesNotExist, present', { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, labels, false],
  [
    'labels and expressions together',
    { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['back'] }] },
    labels,
    false,
  ],
  [
    'a key that every JavaScript object has',
    { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
    labels,
    false,
  ],
];

describe('kube/selectors', () => {
  for (const [what, selector, given, expected] of cases) {
    it(`${what}: ${expected ? 'matches' : 'does not match'}`, () => {
      expect(matchesSelector(selector, given)).to.equal(expected);
    });
  }
});
