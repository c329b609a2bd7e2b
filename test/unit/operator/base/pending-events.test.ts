import { expect } from 'chai';
import fc from 'fast-check';
import { type PendingEvent, PendingEvents } from '../../../../operator/base/pending-events.ts';

function event(type: PendingEvent['type'], version: number): PendingEvent {
  return { type, object: { metadata: { name: 'o', resourceVersion: `${version}` } } };
}

function drain(pending: PendingEvents): string[] {
  const told: string[] = [];
  for (let next = pending.take('o'); next !== undefined; next = pending.take('o')) {
    told.push(`${next.type} ${next.object.metadata.resourceVersion}`);
  }
  return told;
}

describe('operator/base/pending-events', () => {
  const cases: [what: string, types: PendingEvent['type'][], told: string[]][] = [
    ['tells an addition with the latest state', ['Added', 'Modified', 'Modified'], ['Added 3']],
    ['joins modifications', ['Modified', 'Modified'], ['Modified 2']],
    ['tells a deletion in the place of what came before', ['Modified', 'Deleted'], ['Deleted 2']],
    ['tells that an object came and went', ['Added', 'Deleted'], ['Added 1', 'Deleted 2']],
    ['tells of a namesake after the deletion', ['Deleted', 'Added', 'Modified'], ['Deleted 1', 'Added 3']],
    ['forgets a namesake that came and went unheard of', ['Deleted', 'Added', 'Deleted'], ['Deleted 1']],
  ];
  for (const [what, types, told] of cases) {
    it(what, () => {
      const pending = new PendingEvents();

      for (const [index, type] of types.entries()) pending.push('o', event(type, index + 1));

      expect(drain(pending)).to.deep.equal(told);
      expect(pending.has('o')).to.equal(false);
    });
  }

  const failures: [
    what: string,
    failed: PendingEvent['type'],
    then: PendingEvent['type'][],
    told: string[],
  ][] = [
    ['tells what failed again', 'Added', [], ['Added 1']],
    ['tells what failed with the latest state', 'Added', ['Modified'], ['Added 2']],
    ['tells the deletion of what failed', 'Modified', ['Deleted'], ['Deleted 2']],
    ['keeps a deletion that failed before its namesake', 'Deleted', ['Added'], ['Deleted 1', 'Added 2']],
  ];
  for (const [what, failed, then, told] of failures) {
    it(what, () => {
      const pending = new PendingEvents();
      pending.push('o', event(failed, 1));
      const taken = pending.take('o');
      for (const [index, type] of then.entries()) pending.push('o', event(type, index + 2));

      if (taken !== undefined) pending.putBack('o', taken);

      expect(drain(pending)).to.deep.equal(told);
    });
  }

  it('ends with the latest state, in an order that makes sense, and stays short, whatever comes and fails', () => {
    const step = fc.constantFrom('change' as const, 'delete' as const, 'handle' as const, 'fail' as const);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pending = new PendingEvents();
        let version = 0;
        let exists = false;
        let known = false;
        // A handler that failed may have done a part of its work: it hears of the deletion too.
        let tried = false;
        let seen: string | undefined;
        const tell = (told: PendingEvent) => {
          if (told.type === 'Added') expect(known).to.equal(false);
          else expect(known || (tried && told.type === 'Deleted')).to.equal(true);
          known = told.type !== 'Deleted';
          seen = known ? told.object.metadata.resourceVersion : undefined;
        };

        for (const one of steps) {
          if (one === 'change') {
            pending.push('o', event(exists ? 'Modified' : 'Added', ++version));
            exists = true;
          } else if (one === 'delete') {
            if (exists) pending.push('o', event('Deleted', ++version));
            exists = false;
          } else {
            const next = pending.take('o');
            if (next !== undefined && one === 'fail') {
              tried ||= next.type === 'Added';
              pending.putBack('o', next);
            } else if (next !== undefined) tell(next);
          }
        }
        let left = 0;
        for (let next = pending.take('o'); next !== undefined; next = pending.take('o')) {
          tell(next);
          left++;
        }

        expect(left).to.be.lessThan(4);
        expect(known).to.equal(exists);
        if (exists) expect(seen).to.equal(`${version}`);
      }),
      { numRuns: 1000 },
    );
  });
});
