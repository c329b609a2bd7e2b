import { expect } from 'chai';
import { KeyedLock } from '../../../providers/keyed-lock.ts';
import { SharedRun } from '../../../providers/shared-run.ts';

const never = new AbortController().signal;

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('providers/shared-run', () => {
  it('does for several at once what is done once', async () => {
    let runs = 0;
    const run = new SharedRun(async () => ++runs);
    expect(await Promise.all([run.join(never), run.join(never), run.join(never)])).to.deep.equal([1, 1, 1]);
    expect(await run.join(never)).to.equal(2);
  });

  it('fails for all who wait, and is begun anew by the next one', async () => {
    let runs = 0;
    const run = new SharedRun(async () => {
      if (++runs === 1) throw new Error('first');
      return runs;
    });
    const failures = await Promise.all([failureOf(run.join(never)), failureOf(run.join(never))]);
    for (const failure of failures) expect(failure).to.be.an('error').with.property('message', 'first');
    expect(await run.join(never)).to.equal(2);
  });

  it('goes on while anybody waits, and is cut short when nobody does', async () => {
    const signals: AbortSignal[] = [];
    let end = (_: string) => {};
    const run = new SharedRun((signal) => {
      signals.push(signal);
      return new Promise<string>((resolve) => {
        end = resolve;
      });
    });
    const [one, other] = [new AbortController(), new AbortController()];
    const first = failureOf(run.join(one.signal));
    const second = run.join(other.signal);
    one.abort(new Error('left'));
    expect(await first)
      .to.be.an('error')
      .with.property('message', 'left');
    expect(signals[0]?.aborted).to.equal(false);
    end('done');
    expect(await second).to.equal('done');
    const third = failureOf(run.join(other.signal));
    other.abort(new Error('left too'));
    await third;
    expect(signals[1]?.aborted).to.equal(true);
  });
});

describe('providers/keyed-lock', () => {
  it('lets one after the other do what has the same key, in their order, and others meanwhile', async () => {
    const lock = new KeyedLock();
    const log: string[] = [];
    const work = (key: string, name: string, turns: number) =>
      lock.run(key, never, async () => {
        log.push(`${name} begins`);
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        log.push(`${name} ends`);
      });
    await Promise.all([work('a', 'one', 5), work('a', 'two', 1), work('b', 'other', 1)]);
    const ofA = log.filter((line) => !line.startsWith('other'));
    expect(ofA).to.deep.equal(['one begins', 'one ends', 'two begins', 'two ends']);
    expect(log.indexOf('other ends')).to.be.below(log.indexOf('one ends'));
  });

  it('goes on after one that failed, or left', async () => {
    const lock = new KeyedLock();
    const abort = new AbortController();
    const failing = failureOf(
      lock.run('a', never, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        throw new Error('no');
      }),
    );
    const leaving = failureOf(lock.run('a', abort.signal, async () => 'never done'));
    const last = lock.run('a', never, async () => 'done');
    abort.abort(new Error('left'));
    expect(await leaving)
      .to.be.an('error')
      .with.property('message', 'left');
    expect(await failing)
      .to.be.an('error')
      .with.property('message', 'no');
    expect(await last).to.equal('done');
  });
});
