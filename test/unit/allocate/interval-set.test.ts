import { expect } from 'chai';
import fc from 'fast-check';
import { IntervalSet } from '../../../operator/allocate/interval-set.ts';

describe('allocate/interval-set', () => {
  it('answers as a plain set of numbers does, after any additions and deletions', () => {
    const step = fc.record({ add: fc.boolean(), value: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.nat(32), fc.nat(32), (steps, from, to) => {
        const set = new IntervalSet();
        const model = new Set<number>();

        for (const { add, value } of steps) {
          const changed = add ? set.add(BigInt(value)) : set.delete(BigInt(value));
          expect(changed).to.equal(model.has(value) !== add);
          if (add) model.add(value);
          else model.delete(value);
        }

        for (let value = 0; value <= 31; value++) expect(set.has(BigInt(value))).to.equal(model.has(value));
        let missing = from;
        while (model.has(missing)) missing++;
        expect(set.firstMissing(BigInt(from))).to.equal(BigInt(missing));
        const counted = [...model].filter((value) => value >= from && value <= to).length;
        expect(set.countBetween(BigInt(from), BigInt(to))).to.equal(BigInt(counted));
      }),
    );
  });
});
