import { expect } from 'chai';
import fc from 'fast-check';
import { type Candidate, chooseIngress } from '../../../operator/plan/choose-ingress.ts';
import type { ShownProviders } from '../../../operator/plan/read-annotations.ts';

const at = (...ips: string[]) => ips.map((ip) => ({ ip }));
const serving = (...ips: string[]): Candidate => ({ ingress: at(...ips), serves: true, traffic: 'Passes' });
/** Something is wrong with it. */
const faulty = (...ips: string[]): Candidate => ({ ...serving(...ips), serves: false });
const failing = (...ips: string[]): Candidate => ({ ...faulty(...ips), traffic: 'Unknown' });
const down = (...ips: string[]): Candidate => ({ ...faulty(...ips), traffic: 'Stops' });
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

const casesOfAll: Record<string, Case> = {
  'nothing is wanted': { wanted: [], expected: [] },
  'both serve, in the order in which they were asked for': {
    shown: at('b'),
    wanted: [serving('a'), serving('b')],
    expected: at('a', 'b'),
  },
  'one has nothing yet': { wanted: [failing(), serving('b')], expected: at('b') },
  'both are behind one address': { wanted: [serving('a', 'b'), serving('b')], expected: at('a', 'b') },
  'one is down': { shown: at('a', 'b'), wanted: [down('a'), serving('b')], expected: at('b') },
  'one has a fault that lets traffic pass': { wanted: [faulty('a'), serving('b')], expected: at('a', 'b') },
  'all have such a fault': { shown: at('a'), wanted: [faulty('a'), faulty('b')], expected: at('a', 'b') },
  'one can not be asked, and is shown': {
    shown: at('a', 'b'),
    wanted: [failing('a'), serving('b')],
    expected: at('a', 'b'),
  },
  'one can not be asked, and one of its addresses is shown, for another has that': {
    shown: at('a'),
    wanted: [serving('a'), failing('a', 'b')],
    expected: at('a'),
  },
  'one can not be asked, and was taken out before': {
    shown: at('b'),
    wanted: [failing('a'), serving('b')],
    expected: at('b'),
  },
  'nobody knows of any, and nothing was shown': {
    wanted: [failing('a'), down('b')],
    expected: at('a'),
  },
  'all are down: what was shown stays, for nobody knows better': {
    shown: at('b'),
    wanted: [down('a'), down('b')],
    expected: at('b'),
  },
  'all are down, and nothing was shown': { wanted: [down('a'), down('b')], expected: at('a', 'b') },
  'what is shown is of nobody any more': { shown: at('x'), wanted: [down('a')], expected: at('a') },
  'one that leaves is shown, and none serves yet': {
    shown: [lb],
    wanted: [failing('a'), down('b')],
    isLeaving: true,
    expected: [lb],
  },
  'one that leaves is shown, and one serves': {
    shown: [lb],
    wanted: [down('a'), serving('b')],
    isLeaving: true,
    expected: at('b'),
  },
};

const modes: Record<ShownProviders, Record<string, Case>> = { First: cases, All: casesOfAll };

describe('What a Service shows of its load balancers, when', () => {
  for (const [mode, table] of Object.entries(modes)) {
    for (const [name, { shown = [], wanted, isLeaving = false, expected }] of Object.entries(table)) {
      it(`${mode} of its providers: ${name}`, () => {
        const providers = mode === 'All' ? 'All' : 'First';
        expect(chooseIngress({ shown, wanted, isLeaving, providers })).to.deep.equal(expected);
      });
    }
  }

  it('anything is known: the same again once it is shown, and never nothing while something serves', () => {
    const ingress = fc.subarray(at('a', 'b', 'c', 'd'), { maxLength: 2 });
    const candidate = fc
      .record({ ingress, make: fc.constantFrom(serving, faulty, failing, down) })
      .map(({ ingress: some, make }) => {
        const made = make(...some.map(({ ip }) => ip));
        return { ...made, serves: made.serves && some.length > 0 };
      });
    const input = fc.record({
      shown: ingress,
      wanted: fc.array(candidate, { minLength: 1, maxLength: 3 }),
      isLeaving: fc.boolean(),
      providers: fc.constantFrom<ShownProviders>('First', 'All'),
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
