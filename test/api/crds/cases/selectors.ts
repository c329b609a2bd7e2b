import type { Case } from './case.ts';

const NEED_VALUES =
  'In and NotIn need values to compare with: give one at least, or use Exists or DoesNotExist';
const NO_VALUES = 'Exists and DoesNotExist look at the key only: leave out values, or use In or NotIn';

/** Cases of a label selector, for wherever one stands: `place` puts it into a spec that is right otherwise. */
export function selectorCases(field: string, place: (selector: unknown) => unknown): Case[] {
  const requirement = (expression: object) => place({ matchExpressions: [{ key: 'team', ...expression }] });
  return [
    { name: `${field} that is empty`, spec: place({}) },
    { name: `${field} with labels`, spec: place({ matchLabels: { team: 'shop', 'example.com/tier': '' } }) },
    { name: `${field} with In and values`, spec: requirement({ operator: 'In', values: ['a', 'b'] }) },
    { name: `${field} with NotIn and a value`, spec: requirement({ operator: 'NotIn', values: ['a'] }) },
    { name: `${field} with Exists`, spec: requirement({ operator: 'Exists' }) },
    {
      name: `${field} with DoesNotExist and no values`,
      spec: requirement({ operator: 'DoesNotExist', values: [] }),
    },
    { name: `${field} with In and no values`, spec: requirement({ operator: 'In' }), refused: NEED_VALUES },
    {
      name: `${field} with NotIn and empty values`,
      spec: requirement({ operator: 'NotIn', values: [] }),
      refused: NEED_VALUES,
    },
    {
      name: `${field} with Exists and values`,
      spec: requirement({ operator: 'Exists', values: ['a'] }),
      refused: NO_VALUES,
    },
    {
      name: `${field} with DoesNotExist and values`,
      spec: requirement({ operator: 'DoesNotExist', values: ['a'] }),
      refused: NO_VALUES,
    },
    {
      name: `${field} with an operator of its own`,
      spec: requirement({ operator: 'Like', values: ['a'] }),
      refused: 'Unsupported value: "Like"',
    },
    {
      name: `${field} with a label value that is too long`,
      spec: place({ matchLabels: { team: 'x'.repeat(64) } }),
      refused: 'Too long',
    },
  ];
}
