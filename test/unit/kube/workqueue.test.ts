import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { ClassedError } from '../../../kube/errors.ts';
import { silentLogger } from '../../../kube/log.ts';
import { type ReconcileResult, WorkQueue, type WorkQueueOptions } from '../../../kube/workqueue.ts';
import { recordingLogger } from './support.ts';

const DONE: ReconcileResult = { kind: 'done' };

function failed(error: unknown = new Error('no')): ReconcileResult {
  return { kind: 'failed', error, terminal: false };
}

function makeQueue(options: Partial<WorkQueueOptions> & Pick<WorkQueueOptions, 'process'>): WorkQueue {
  return new WorkQueue({ name: 'test', concurrency: 1, log: silentLogger, ...options });
}

/** A queue whose processing ends when the test says so. */
function steeredQueue(concurrency: number, groups?: WorkQueueOptions['groups']) {
  const running = new Map<string, (result: ReconcileResult) => void>();
  const started: string[] = [];
  const queue = makeQueue({
    concurrency,
    groups,
    // No retry comes back within a test run.
    baseDelayMs: 1_000_000,
    maxDelayMs: 1_000_000,
    process: (key) => {
      if (running.has(key)) throw new Error(`${key} is processed twice at once`);
      started.push(key);
      return new Promise((resolve) => running.set(key, resolve));
    },
  });
  const finish = (key: string, result: ReconcileResult) => {
    const resolve = running.get(key);
    running.delete(key);
    resolve?.(result);
  };
  return { queue, running, started, finish };
}

describe('kube/workqueue', () => {
  it('does what its model does, over any order of adding and finishing', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), key }),
      fc.record({ kind: fc.constant('finish' as const), key, result: fc.constantFrom(DONE, failed()) }),
    );
    const history = fc.array(step, { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(history, fc.integer({ min: 1, max: 3 }), async (steps, concurrency) => {
        const { queue, running, started, finish } = steeredQueue(concurrency);
        queue.start();
        const model = {
          ready: [] as string[],
          processing: [] as string[],
          again: [] as string[],
          started: [] as string[],
        };
        const settle = () => {
          while (model.processing.length < concurrency) {
            const next = model.ready.shift();
            if (next === undefined) return;
            model.processing.push(next);
            model.started.push(next);
          }
        };
        for (const each of steps) {
          const isProcessing = model.processing.includes(each.key);
          if (each.kind === 'add') {
            queue.add(each.key);
            const list = isProcessing ? model.again : model.ready;
            if (!list.includes(each.key)) list.push(each.key);
          } else if (isProcessing) {
            finish(each.key, each.result);
            model.processing = model.processing.filter((other) => other !== each.key);
            if (model.again.includes(each.key)) model.ready.push(each.key);
            model.again = model.again.filter((other) => other !== each.key);
          }
          settle();
          await setImmediate();
          // What is given back to the event loop after its share of time goes on in the next turn.
          for (let turn = 0; turn < 20 && started.length < model.started.length; turn++) await setImmediate();

          expect([...running.keys()].sort()).to.deep.equal([...model.processing].sort());
          expect(started).to.deep.equal(model.started);
          expect(queue.depth).to.equal(model.ready.length + model.processing.length + model.again.length);
        }
        const stopped = queue.stop();
        for (const each of model.processing) finish(each, DONE);
        await stopped;
        expect(queue.depth).to.equal(0);
      }),
      { numRuns: 200 },
    );
  });

  it('waits longer after each failure of a key, and begins anew after a success', async () => {
    const delays: number[] = [];
    let last = 0;
    let calls = 0;
    const queue = makeQueue({
      baseDelayMs: 40,
      process: async () => {
        const now = performance.now();
        if (last > 0) delays.push(now - last);
        last = now;
        calls++;
        if (calls === 5) setTimeout(() => queue.add('k'), 1);
        return calls === 5 || calls > 6 ? DONE : failed();
      },
    });
    queue.start();

    queue.add('k');
    while (calls < 7) await sleep(5);

    const [d1 = 0, d2 = 0, d3 = 0, d4 = 0, , d6 = 0] = delays;
    // A busy machine may add to each; to begin anew is to wait less than the 640 ms that came next.
    expect(d1).to.be.at.least(39);
    expect(d2).to.be.at.least(79);
    expect(d3).to.be.at.least(159);
    expect(d4).to.be.at.least(319);
    expect(d6).to.be.within(39, 630);
    await queue.stop();
  });

  it('takes a thrown error for a failure, and tries again', async () => {
    let calls = 0;
    const queue = makeQueue({
      process: async () => {
        if (++calls < 3) throw new Error('thrown');
        return DONE;
      },
    });
    queue.start();

    queue.add('k');
    while (calls < 3) await sleep(2);
    await queue.idle();

    expect(calls).to.equal(3);
    await queue.stop();
  });

  it('does not try again what was rejected, until it is added', async () => {
    const { log, lines } = recordingLogger();
    let calls = 0;
    const queue = makeQueue({
      log,
      baseDelayMs: 1,
      process: async () => {
        calls++;
        return { kind: 'failed', error: new Error('wrong'), terminal: true };
      },
    });
    queue.start();

    queue.add('k');
    await sleep(30);
    const callsBefore = calls;
    queue.add('k');
    await queue.idle();

    expect([callsBefore, calls]).to.deep.equal([1, 2]);
    expect(lines).to.include('warn WorkRejected');
    await queue.stop();
  });

  it('tries again what was rejected, once the time is over that it comes with', async () => {
    const times: number[] = [];
    const queue = makeQueue({
      baseDelayMs: 1,
      process: async () => {
        times.push(performance.now());
        return { kind: 'failed', error: new Error('wrong'), terminal: true, againAfterMs: 40 };
      },
    });
    queue.start();

    queue.add('k');
    while (times.length < 3) await sleep(2);
    await queue.stop();

    const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    for (const wait of waits) expect(wait).to.be.at.least(35);
  });

  it('waits as long as a throttling server asks', async () => {
    const times: number[] = [];
    const error = new ClassedError('busy', {
      class: 'Throttled',
      reason: 'TooManyRequests',
      retryAfterSeconds: 0.08,
    });
    const queue = makeQueue({
      process: async () => {
        times.push(performance.now());
        return times.length === 1 ? failed(error) : DONE;
      },
    });
    queue.start();

    queue.add('k');
    while (times.length < 2) await sleep(5);

    expect((times[1] ?? 0) - (times[0] ?? 0)).to.be.at.least(79);
    await queue.stop();
  });

  it('keeps the earliest of several times for one key', async () => {
    const times: number[] = [];
    const queue = makeQueue({
      process: async () => {
        times.push(performance.now());
        return DONE;
      },
    });
    queue.start();
    const begin = performance.now();

    queue.addAfter('k', 9_000);
    queue.addAfter('k', 40);
    queue.addAfter('k', 8_000);
    while (times.length === 0) await sleep(5);
    await sleep(50);

    expect(times).to.have.length(1);
    expect((times[0] ?? 0) - begin).to.be.within(39, 7_000);
    await queue.stop();
  });

  it('processes nothing before it is started', async () => {
    const seen: string[] = [];
    const queue = makeQueue({
      process: async (key) => {
        seen.push(key);
        return DONE;
      },
    });
    queue.add('a');
    queue.add('a');
    queue.addAfter('b', 1);
    await sleep(10);
    expect(seen).to.deep.equal([]);

    queue.start();
    await queue.idle();

    expect(seen).to.deep.equal(['a', 'b']);
    await queue.stop();
  });

  it('finishes on stop what runs, and starts nothing more', async () => {
    const { queue, running, started, finish } = steeredQueue(1);
    queue.start();
    queue.add('runs');
    queue.add('waits');
    queue.addAfter('later', 1);
    await setImmediate();

    const order: string[] = [];
    const stopped = queue.stop().then(() => order.push('stopped'));
    queue.add('too late');
    await sleep(10);
    order.push('finished');
    finish('runs', failed());
    await stopped;
    await sleep(10);

    expect(order).to.deep.equal(['finished', 'stopped']);
    expect(started).to.deep.equal(['runs']);
    expect(running.size).to.equal(0);
  });

  it('aborts on stop what takes too long', async () => {
    const queue = makeQueue({
      drainMs: 20,
      process: (_key, signal) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve(failed(new Error('cut short')))),
        ),
    });
    queue.start();
    queue.add('k');
    await setImmediate();
    const begin = performance.now();

    await queue.stop();

    expect(performance.now() - begin).to.be.within(19, 10_000);
  });

  it('leaves timers and sockets their turn while thousands of keys finish at once', async () => {
    let spun = 0;
    const queue = makeQueue({
      concurrency: 4,
      process: async () => {
        const end = performance.now() + 0.1;
        while (performance.now() < end) spun++;
        return DONE;
      },
    });
    for (let i = 0; i < 2_000; i++) queue.add(`k${i}`);
    queue.start();
    await setImmediate();
    await setImmediate();

    expect(queue.depth).to.be.above(1_000);
    await queue.idle();
    expect(spun).to.be.above(0);
    await queue.stop();
  });

  it('goes on when a metric throws', async () => {
    let calls = 0;
    const broken = () => {
      throw new Error('metric');
    };
    const queue = makeQueue({
      observer: { added: broken, started: broken, finished: broken },
      process: async () => {
        calls++;
        return DONE;
      },
    });
    queue.start();

    queue.add('a');
    queue.add('b');
    await queue.idle();

    expect(calls).to.equal(2);
    await queue.stop();
  });

  it('starts an added key within a millisecond when nothing else is to do', async () => {
    const latencies: number[] = [];
    let addedAt = 0;
    const queue = makeQueue({
      process: async () => {
        latencies.push(performance.now() - addedAt);
        return DONE;
      },
    });
    queue.start();

    for (let i = 0; i < 200; i++) {
      addedAt = performance.now();
      queue.add(`k${i}`);
      await queue.idle();
    }

    latencies.sort((a, b) => a - b);
    expect(latencies[100]).to.be.below(1);
    await queue.stop();
  });

  describe('with groups', () => {
    const groups = { groupOf: (key: string) => key.slice(0, 1), concurrency: 2 };

    it('lets a small group through beside one that fills the queue', async () => {
      const { queue, started, finish } = steeredQueue(3, groups);
      for (let index = 0; index < 900; index++) queue.add(`big-${index}`);
      queue.add('small');
      queue.start();
      await setImmediate();

      expect(started).to.deep.equal(['big-0', 'small', 'big-1']);
      expect(queue.depth).to.equal(901);
      finish('small', DONE);
      await setImmediate();
      expect(started).to.have.length(3);
      finish('big-1', DONE);
      await setImmediate();
      expect(started.slice(3)).to.deep.equal(['big-2']);
    });

    it('loses no key, and starts no group more often than it may, over any order', async () => {
      const key = fc.constantFrom('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1');
      const step = fc.record({ kind: fc.constantFrom('add', 'finish'), key });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const { queue, running, finish } = steeredQueue(4, groups);
          queue.start();
          for (const { kind, key } of steps) {
            if (kind === 'add') queue.add(key);
            else finish(key, DONE);
            await setImmediate();
            const ofA = [...running.keys()].filter((each) => each.startsWith('a'));
            expect(ofA.length).to.be.at.most(2);
          }
          const idle = queue.idle();
          for (let turn = 0; queue.depth > 0 && turn < 100; turn++) {
            for (const each of [...running.keys()]) finish(each, DONE);
            await setImmediate();
          }
          await idle;
          await queue.stop();
        }),
        { numRuns: 50 },
      );
    });
  });
});
