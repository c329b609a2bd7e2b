import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { sleep as abortableSleep, Backoff } from '../../../kube/backoff.ts';
import { DelayQueue } from '../../../kube/delay-queue.ts';
import { TokenBucket } from '../../../kube/token-bucket.ts';

describe('kube/delay-queue', () => {
  it('gives each key once, at the earliest of its times, in order of time', async () => {
    const entry = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      ms: fc.integer({ min: 1, max: 25 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 25 }), async (entries) => {
        const given: { key: string; ms: number }[] = [];
        const begin = performance.now();
        const queue = new DelayQueue((key) => given.push({ key, ms: performance.now() - begin }));
        const earliest = new Map<string, number>();
        for (const { key, ms } of entries) {
          // A busy machine may take its time from one to the next.
          const at = performance.now() - begin + ms;
          queue.add(key, ms);
          earliest.set(key, Math.min(at, earliest.get(key) ?? Number.POSITIVE_INFINITY));
        }
        expect(queue.size).to.equal(earliest.size);
        while (queue.size > 0) await sleep(3);

        expect(given.map(({ key }) => key).sort()).to.deep.equal([...earliest.keys()].sort());
        for (const { key, ms } of given) expect(ms).to.be.at.least((earliest.get(key) ?? 0) - 1);
        const due = given.map(({ key }) => earliest.get(key) ?? 0);
        // Times a part of a millisecond apart may be one step of the clock.
        for (const [index, ms] of due.entries()) expect(ms).to.be.at.least((due[index - 1] ?? 0) - 1);
      }),
      { numRuns: 30 },
    );
  });

  it('gives nothing after it was cleared', async () => {
    const given: string[] = [];
    const queue = new DelayQueue((key) => given.push(key));
    queue.add('a', 5);
    queue.clear();
    await sleep(15);

    expect(given).to.deep.equal([]);
  });

  it('waits for more than a timer can hold', async () => {
    const given: string[] = [];
    const queue = new DelayQueue((key) => given.push(key));
    queue.add('next year', 365 * 86_400_000);
    await sleep(15);

    expect(given).to.deep.equal([]);
    queue.clear();
  });
});

describe('kube/backoff', () => {
  it('doubles up to its maximum, each delay between half and whole of its step, and begins anew after reset', () => {
    for (const [random, factor] of [
      [0, 0.5],
      [0.999999, 1],
    ] as const) {
      const backoff = new Backoff({ initialMs: 800, maxMs: 30_000, random: () => random });
      const delays = Array.from({ length: 8 }, () => Math.round(backoff.next()));
      const steps = [800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000];

      expect(delays).to.deep.equal(steps.map((step) => Math.round(step * factor)));
      backoff.reset();
      expect(Math.round(backoff.next())).to.equal(800 * factor);
    }
  });

  it('sleeps no longer than its signal lets it', async () => {
    const controller = new AbortController();
    const begin = performance.now();
    setTimeout(() => controller.abort(), 10);

    await abortableSleep(10_000, controller.signal);
    await abortableSleep(10_000, controller.signal);

    expect(performance.now() - begin).to.be.below(5_000);
  });
});

describe('kube/token-bucket', () => {
  it('allows a burst, then the rate', () => {
    let now = 0;
    const bucket = new TokenBucket(10, 3, () => now);

    expect([1, 2, 3, 4, 5].map(() => bucket.take())).to.deep.equal([0, 0, 0, 0.1, 0.2]);
    now = 1_000;
    expect(bucket.tryTake()).to.equal(true);
  });

  it('refuses when empty, and fills up to its burst and no more', () => {
    let now = 0;
    const bucket = new TokenBucket(1, 2, () => now);

    expect([1, 2, 3].map(() => bucket.tryTake())).to.deep.equal([true, true, false]);
    expect(bucket.isFull).to.equal(false);
    now = 60_000;
    expect(bucket.isFull).to.equal(true);
    expect([1, 2, 3].map(() => bucket.tryTake())).to.deep.equal([true, true, false]);
  });
});
