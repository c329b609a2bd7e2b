import { expect } from 'chai';
import fc from 'fast-check';
import { ReadyKeys } from '../../../kube/ready-keys.ts';

const groupOf = (key: string) => key.slice(0, key.indexOf('/'));

/** Any backlog of groups `g0`, `g1`, ..., with workers that come and go. */
const backlogs = fc.record({
  sizes: fc.array(fc.nat(40), { minLength: 1, maxLength: 8 }),
  workers: fc.integer({ min: 1, max: 20 }),
  share: fc.integer({ min: 1, max: 6 }),
  /** Which of those that run ends next. */
  ends: fc.array(fc.nat(19), { maxLength: 60 }),
});

/** Workers that are never idle: one that ends takes the next. */
class Workers {
  readonly ready: ReadyKeys;
  readonly running: string[] = [];
  readonly #count: number;
  readonly #taken: (key: string) => void;

  constructor(ready: ReadyKeys, count: number, taken: (key: string) => void) {
    this.ready = ready;
    this.#count = count;
    this.#taken = taken;
  }

  fill(): void {
    while (this.running.length < this.#count) {
      const next = this.ready.take();
      if (next === undefined) return;
      this.#taken(next.key);
      this.running.push(next.key);
    }
  }

  end(index: number): void {
    const [ended] = this.running.splice(index % Math.max(1, this.running.length), 1);
    if (ended !== undefined) this.ready.finish(ended);
    this.fill();
  }
}

function fillUp(ready: ReadyKeys, sizes: readonly number[]): void {
  for (const [group, size] of sizes.entries()) {
    for (let index = 0; index < size; index++) ready.add(`g${group}/${index}`, 0);
  }
}

describe('kube/ready-keys', () => {
  it('starts the first key of a new group after one of each other group at most, whatever their backlog', () => {
    fc.assert(
      fc.property(backlogs, ({ sizes, workers: count, share, ends }) => {
        const ready = new ReadyKeys({ groupOf, concurrency: share });
        const taken: string[] = [];
        const workers = new Workers(ready, count, (key) => void taken.push(key));
        fillUp(ready, sizes);
        workers.fill();
        for (const each of ends) workers.end(each);
        const before = taken.length;

        ready.add('lone/0', 0);
        workers.fill();
        for (let turn = 0; !taken.includes('lone/0'); turn++) workers.end(ends[turn] ?? 0);

        expect(taken.indexOf('lone/0') - before).to.be.at.most(sizes.length);
      }),
    );
  });

  it('takes from a group with the least running, in the order in which its keys came, and loses none', () => {
    fc.assert(
      fc.property(backlogs, ({ sizes, workers: count, share, ends }) => {
        const ready = new ReadyKeys({ groupOf, concurrency: share });
        const waiting = new Map(sizes.map((size, group) => [`g${group}`, size]));
        const taken: string[] = [];
        const workers = new Workers(ready, count, (key) => {
          const runningOf = (group: string) =>
            workers.running.filter((each) => groupOf(each) === group).length;
          const group = groupOf(key);
          const least = [...waiting].flatMap(([each, left]) => (left > 0 ? [runningOf(each)] : []));
          expect(runningOf(group))
            .to.equal(Math.min(...least))
            .and.to.be.below(share);
          waiting.set(group, (waiting.get(group) ?? 0) - 1);
          taken.push(key);
        });
        fillUp(ready, sizes);
        workers.fill();
        for (const each of ends) workers.end(each);
        while (workers.running.length > 0) workers.end(0);

        const expected = sizes.map((size, group) =>
          Array.from({ length: size }, (_, at) => `g${group}/${at}`),
        );
        const found = sizes.map((_, group) => taken.filter((key) => groupOf(key) === `g${group}`));
        expect(found).to.deep.equal(expected);
        expect([ready.size, ready.mayHaveNext]).to.deep.equal([0, false]);
      }),
    );
  });
});
