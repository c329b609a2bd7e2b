import { expect } from 'chai';
import { Reminders } from '../../../operator/reconcile/reminders.ts';
import type { PlannedEvent } from '../../../operator/status/build-events.ts';
import { makeService } from '../plan/objects.ts';

const MINUTE = 60_000;
const warning = (note: string): PlannedEvent => ({ type: 'Warning', reason: 'SyncLoadBalancerFailed', note });

describe('reconcile: Warnings of what still holds', () => {
  let now: number;
  let told: string[];
  let reminders: Reminders;
  const service = makeService();
  /** Looks each minute. */
  const pass = (minutes: number) => {
    for (let minute = 0; minute < minutes; minute++) {
      now += MINUTE;
      reminders.remind();
    }
  };

  beforeEach(() => {
    now = 0;
    told = [];
    reminders = new Reminders(
      ({ metadata }, events) =>
        void told.push(...events.map(({ note }) => `${now / MINUTE} ${metadata.name} ${note}`)),
      () => now,
    );
  });

  it('are told again every half an hour, well before Events are gone, however often they are found', () => {
    for (let minute = 0; minute < 70; minute++) {
      reminders.hold(service, [warning('A')]);
      pass(1);
    }

    expect(told).to.deep.equal(['30 web A', '60 web A']);
  });

  it('are told no more once they hold no more, or the Service is gone', () => {
    const other = makeService({}, { name: 'other' });
    reminders.hold(service, [warning('A')]);
    reminders.hold(other, [warning('B')]);
    pass(20);
    reminders.hold(service, []);
    reminders.forget('shop/other');
    pass(60);

    expect(told).to.deep.equal([]);
  });

  it('have each a time of its own', () => {
    reminders.hold(service, [warning('A')]);
    pass(20);
    reminders.hold(service, [warning('A'), warning('B')]);
    pass(31);

    expect(told).to.deep.equal(['30 web A', '50 web B']);
  });
});
