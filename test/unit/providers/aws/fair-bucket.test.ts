import { mock } from 'node:test';
import { expect } from 'chai';
import { FairBucket } from '../../../../providers/aws/calls/fair-bucket.ts';

let leaving = new AbortController();

/** Takes a token for each of these, and tells in which order they were given; who waits still at the end leaves. */
function takeAll(bucket: FairBucket, turns: readonly string[], inBackground = false) {
  const order: string[] = [];
  const done = turns.map(async (turn) => {
    await bucket.take({ turn, inBackground, signal: leaving.signal });
    order.push(turn);
  });
  const all = Promise.all(done);
  all.catch(() => {});
  return { order, done: all };
}

/** For what needs no time to have happened. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('providers/aws/fair-bucket', () => {
  beforeEach(() => {
    leaving = new AbortController();
  });
  afterEach(() => leaving.abort());

  it('lets a namespace with one call wait for one call of another with many', async () => {
    let started: number | undefined;
    const now = () => (started === undefined ? 0 : performance.now() - started);
    const bucket = new FairBucket({ perSecond: 500, burst: 1 }, now);
    const { done, order } = takeAll(bucket, [...Array.from({ length: 50 }, () => 'many'), 'one']);
    started = performance.now();
    await done;
    // The burst's one token, and one turn of the other.
    expect(order.indexOf('one')).to.be.at.most(2);
    expect(order).to.have.length(51);
  });

  it('gives the turns of several namespaces round and round', async () => {
    // No token comes while they are added: who was first would have it for being alone.
    let started: number | undefined;
    const now = () => (started === undefined ? 0 : performance.now() - started);
    const bucket = new FairBucket({ perSecond: 500, burst: 1 }, now);
    await bucket.take({ turn: 'first', inBackground: false, signal: leaving.signal });
    const { done, order } = takeAll(bucket, ['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c']);
    started = performance.now();
    await done;
    expect(order).to.deep.equal(['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('keeps a part of the burst for who took little', async () => {
    const bucket = new FairBucket({ perSecond: 0.001, burst: 10 }, () => 0);
    const many = takeAll(
      bucket,
      Array.from({ length: 30 }, () => 'many'),
    );
    await settle();
    expect(many.order).to.have.length(6);
    const few = takeAll(bucket, ['few', 'few', 'few']);
    await settle();
    expect(few.order).to.have.length(3);
    expect(many.order).to.have.length(6);
  });

  it('lets sweeps wait until nobody else wants anything', async () => {
    let now = 0;
    const bucket = new FairBucket({ perSecond: 100, burst: 2 }, () => now);
    const work = takeAll(bucket, ['a', 'a', 'a', 'a']);
    const sweep = takeAll(bucket, [''], true);
    await settle();
    expect(work.order).to.have.length(2);
    for (let step = 0; step < 4; step++) {
      now += 10;
      await new Promise((resolve) => setTimeout(resolve, 15));
      if (work.order.length < 4) expect(sweep.order).to.have.length(0);
    }
    now += 1000;
    await Promise.all([work.done, sweep.done]);
  });

  it('gives nothing to who left, and tells why', async () => {
    const bucket = new FairBucket({ perSecond: 0.001, burst: 1 }, () => 0);
    await bucket.take({ turn: 'a', inBackground: false, signal: leaving.signal });
    const abort = new AbortController();
    const left = bucket.take({ turn: 'b', inBackground: false, signal: abort.signal });
    abort.abort(new Error('stopping'));
    const failure = await left.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.an('error').with.property('message', 'stopping');
    expect(bucket.depth).to.equal(0);
  });

  it('halves its rate once for calls that are refused together, and grows back with those that are not', () => {
    let now = 0;
    const bucket = new FairBucket({ perSecond: 10, burst: 10 }, () => now);
    bucket.throttled();
    bucket.throttled();
    expect(bucket.rate).to.equal(0.5);
    now += 2000;
    bucket.throttled();
    expect(bucket.rate).to.equal(0.25);
    for (let call = 0; call < 3; call++) bucket.succeeded();
    expect(bucket.rate).to.equal(1);
  });

  it('goes on at most of its rate while AWS throttles every tenth call of one namespace', async () => {
    let now = 0;
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const bucket = new FairBucket({ perSecond: 60, burst: 400 }, () => now);
      let done = 0;
      const work = async () => {
        for (;;) {
          await bucket.take({ turn: 'big', inBackground: false, signal: leaving.signal });
          done++;
          if (done % 10 === 0) bucket.throttled();
          else bucket.succeeded();
        }
      };
      for (let worker = 0; worker < 16; worker++) void work().catch(() => {});
      for (let step = 0; step < 600; step++) {
        now += 50;
        mock.timers.tick(50);
        await settle();
      }
      expect(done).to.be.greaterThan(0.7 * 60 * 30);
    } finally {
      mock.timers.reset();
    }
  });

  it('never stops wholly, however often AWS throttles', () => {
    let now = 0;
    const bucket = new FairBucket({ perSecond: 10, burst: 10 }, () => now);
    for (let time = 0; time < 50; time++) {
      bucket.throttled();
      now += 1500;
    }
    expect(bucket.rate).to.equal(1 / 8);
  });
});
