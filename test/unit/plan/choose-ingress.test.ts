import { expect } from 'chai';
import fc from 'fast-check';
import { type Candidate, chooseIngress } from '../../../operator/plan/choose-ingress.ts';

const at = (...ips: string[]) => ips.map((ip) => ({ ip }));
const serving = (...ips: string[]): Candidate => ({ ingress: at(...ips), serves: true });
const failing = (...ips: string[]): Candidate => ({ ingress: at(...ips), serves: false });
const lb = { hostname: 'lb.example.com' };

interface Case {
  shown?: { ip?: string; hostname?: string }[];
  wanted: Candidate[];
  isLeaving?: boolean;
  expected: { ip?: string; hostname?: string }[];
}

const cases: Record<string, Case> = {
  'nothing is wanted': { wanted: [], expected: [] },
  'the first serves': { wanted: [serving('a'), serving('b')], expected: at('a') },
  'the first serves, and another one was shown': {
    shown: at('b'),
    wanted: [serving('a'), serving('b')],
    expected: at('a'),
  },
  'the only one has an address, and does not serve': { wanted: [failing('a')], expected: at('a') },
  'the only one moved to another address, and does not serve': {
    shown: at('a'),
    wanted: [failing('b')],
    expected: at('b'),
  },
  'the first is shown, and fails for a while': {
    shown: at('a'),
    wanted: [failing('a'), serving('b')],
    expected: at('a'),
  },
  'the first has an address, and does not serve, with another one shown': {
    shown: at('b'),
    wanted: [failing('a'), failing('b')],
    expected: at('b'),
  },
  'the first has nothing, and another one serves': {
    wanted: [failing(), failing('b'), serving('c')],
    expected: at('c'),
  },
  'the first has nothing, and nobody serves': { wanted: [failing(), failing('b')], expected: [] },
  'one that leaves is shown, and the first does not serve yet': {
    shown: [lb],
    wanted: [failing('a')],
    isLeaving: true,
    expected: [lb],
  },
  'one that leaves is shown, and the first has nothing': {
    shown: [lb],
    wanted: [failing(), serving('b')],
    isLeaving: true,
    expected: [lb],
  },
  'one that leaves is shown, and the first serves': {
    shown: [lb],
    wanted: [serving('a')],
    isLeaving: true,
    expected: at('a'),
  },
  'what is shown is of nobody any more': { shown: at('x'), wanted: [failing()], expected: [] },
};

describe('What a Service shows of its load balancers, when', () => {
  for (const [name, { shown = [], wanted, isLeaving = false, expected }] of Object.entries(cases)) {
    it(name, () => {
      expect(chooseIngress({ shown, wanted, isLeaving })).to.deep.equal(expected);
    });
  }

  it('anything is known: the same again once it is shown, and never nothing while something serves', () => {
    const ingress = fc.subarray(at('a', 'b', 'c', 'd'), { maxLength: 2 });
    const candidate = fc
      .record({ ingress, serves: fc.boolean() })
      .map(({ ingress: some, serves }) => ({ ingress: some, serves: serves && some.length > 0 }));
    const input = fc.record({
      shown: ingress,
      wanted: fc.array(candidate, { minLength: 1, maxLength: 3 }),
      isLeaving: fc.boolean(),
    });
    fc.assert(
      fc.property(input, (given) => {
        const chosen = chooseIngress(given);
        expect(chooseIngress({ ...given, shown: chosen })).to.deep.equal(chosen);
        if (given.wanted.some(({ serves }) => serves)) expect(chosen).to.not.deep.equal([]);
      }),
    );
  });
});
