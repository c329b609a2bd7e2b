import { resolve } from 'node:path';
import { expect } from 'chai';
import Mocha from 'mocha';
import { passedWholly } from '../../../api/support/whole-run.ts';

const FILES = ['evaluate-policy', 'whole-run'].map((name) => resolve(`test/unit/peers/aws/${name}.test.ts`));
const PATTERN = 'test/unit/peers/aws/{evaluate-policy,whole-run}.test.ts';

/** A run of these files, each with a suite in a suite, and in that a test that came out like this. */
function runOf(...files: [file: string | undefined, state: 'passed' | 'failed' | undefined][]): Mocha.Suite {
  const root = new Mocha.Suite('');
  for (const [file, state] of files) {
    const outer = Mocha.Suite.create(root, 'outer');
    if (file !== undefined) outer.file = file;
    const test = new Mocha.Test('test', () => {});
    if (state !== undefined) test.state = state;
    Mocha.Suite.create(outer, 'inner').addTest(test);
  }
  return root;
}

describe('what tests of a whole run needed', () => {
  const [one, two] = FILES;

  it('is compared when all files ran, and all of their tests passed', () => {
    expect(passedWholly(runOf([one, 'passed'], [two, 'passed'], ['another', 'failed']), PATTERN)).to.equal(
      true,
    );
  });

  it('is not when a file was left out', () => {
    expect(passedWholly(runOf([one, 'passed']), PATTERN)).to.equal(false);
  });

  it('is not when a test did not run, or failed', () => {
    expect(passedWholly(runOf([one, 'passed'], [two, undefined]), PATTERN)).to.equal(false);
    expect(passedWholly(runOf([one, 'failed'], [two, 'passed']), PATTERN)).to.equal(false);
  });
});
