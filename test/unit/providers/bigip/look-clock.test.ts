import { expect } from 'chai';
import { LookClock } from '../../../../providers/bigip/observe/look-clock.ts';

describe('providers/bigip/look-clock', () => {
  let now: number;
  let clock: LookClock;

  beforeEach(() => {
    now = 1_000;
    clock = new LookClock(() => now);
  });

  it('has nobody ask of what nobody wrote', () => {
    expect(clock.isDue('web')).to.equal(false);
    expect(clock.nextAfterSeconds('web')).to.equal(undefined);
  });

  it('is due at once after a write, and never again once all is well', () => {
    clock.restart('web');
    expect(clock.isDue('web')).to.equal(true);
    clock.looked('web', true);
    expect(clock.nextAfterSeconds('web')).to.equal(undefined);
    expect(clock.isDue('web')).to.equal(false);
  });

  it('waits twice as long from look to look, a minute at most', () => {
    clock.restart('web');
    const waits: (number | undefined)[] = [];
    for (let look = 0; look < 9; look++) {
      clock.looked('web', false);
      waits.push(clock.nextAfterSeconds('web'));
      expect(clock.isDue('web')).to.equal(false);
      now += (waits.at(-1) ?? 0) * 1000;
      expect(clock.isDue('web')).to.equal(true);
    }
    expect(waits).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  it('begins anew with the next write, and forgets what is gone', () => {
    clock.restart('web');
    for (let look = 0; look < 5; look++) clock.looked('web', false);
    clock.restart('web');
    clock.looked('web', false);
    expect(clock.nextAfterSeconds('web')).to.equal(1);
    clock.forget('web');
    expect(clock.nextAfterSeconds('web')).to.equal(undefined);
  });
});
