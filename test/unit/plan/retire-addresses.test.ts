import { expect } from 'chai';
import type { AddressClaim } from '../../../crds/load-balancer.ts';
import { retireAddresses } from '../../../operator/plan/retire-addresses.ts';

const claims = (...addresses: string[]): AddressClaim[] =>
  addresses.map((address) => ({ address, family: 'IPv4', pool: 'a' }));

const cases: {
  name: string;
  claimed: string[];
  current: string[];
  shown: string[];
  settled?: boolean;
  lost?: string[];
  expected: [addresses: string[], waiting: 'shown' | 'settled' | undefined];
}[] = [
  { name: 'a first claim', claimed: ['1'], current: [], shown: [], expected: [['1'], undefined] },
  { name: 'nothing new', claimed: ['1'], current: ['1'], shown: ['1'], expected: [['1'], undefined] },
  { name: 'a move begins', claimed: ['2'], current: ['1'], shown: ['1'], expected: [['2', '1'], 'shown'] },
  {
    name: 'the new one is shown',
    claimed: ['2'],
    current: ['2', '1'],
    shown: ['2'],
    expected: [['2', '1'], 'settled'],
  },
  {
    name: 'and was for long enough',
    claimed: ['2'],
    current: ['2', '1'],
    shown: ['2'],
    settled: true,
    expected: [['2'], undefined],
  },
  {
    name: 'a clock that ran before the new one was shown',
    claimed: ['2'],
    current: ['1'],
    shown: ['1'],
    settled: true,
    expected: [['2', '1'], 'shown'],
  },
  {
    name: 'the move is taken back',
    claimed: ['1'],
    current: ['2', '1'],
    shown: ['1'],
    expected: [['1', '2'], 'settled'],
  },
  {
    name: 'a family leaves',
    claimed: ['1'],
    current: ['1', '6'],
    shown: ['1', '6'],
    expected: [['1', '6'], 'shown'],
  },
  {
    name: 'an address that another has the better right to',
    claimed: ['2'],
    current: ['1'],
    shown: ['1'],
    lost: ['1'],
    expected: [['2'], undefined],
  },
  {
    name: 'all is given up',
    claimed: [],
    current: ['1'],
    shown: [],
    settled: true,
    expected: [[], undefined],
  },
];

describe('plan/retire-addresses', () => {
  for (const { name, claimed, current, shown, settled = false, lost = [], expected } of cases) {
    it(`${name}: ${expected[0].join(' ')}${expected[1] === undefined ? '' : `, waiting to be ${expected[1]}`}`, () => {
      const plan = retireAddresses({
        claimed: claims(...claimed),
        current: claims(...current),
        shown,
        settled,
        lost: new Set(lost),
      });
      expect([plan.addresses.map(({ address }) => address), plan.waiting]).to.deep.equal(expected);
    });
  }
});
