import { expect } from 'chai';
import type { Failure } from '../../../scripts/describe-failures.ts';
import { chooseRerun, mergeRerun } from '../../../scripts/rerun-failed.ts';
import { chooseSuites } from '../../../scripts/suites.ts';
import type { SuiteResult } from '../../../scripts/sum-results.ts';

const failure = (title: string): Failure => ({ title, error: ['Error: no'], again: `^${title}$` });
const result = (passed: number, failures: Failure[], problem?: string): SuiteResult => ({
  name: 'api',
  seconds: 10,
  passed,
  failed: failures.length,
  failures,
  ...(problem === undefined ? {} : { problem }),
});
const suite = (name: string) => {
  const [found] = chooseSuites([name]);
  if (found === undefined) throw new Error(`no suite ${name}`);
  return found;
};

describe('scripts/rerun-failed', () => {
  it('runs what failed on real parts again, and nothing else', () => {
    expect(chooseRerun(suite('api'), result(5, [failure('a'), failure('b')]))).to.equal('^a$|^b$');
  });

  const final = [
    { name: 'nothing failed', of: 'api', first: result(5, []) },
    { name: 'a pure stage failed', of: 'unit', first: result(5, [failure('a')]) },
    { name: 'a check failed', of: 'check', first: result(5, [failure('a')]) },
    { name: 'the run died', of: 'net', first: result(5, [failure('a')], 'did not end in time') },
    { name: 'more failed than chance explains', of: 'net', first: result(5, [...'abcd'].map(failure)) },
    { name: 'a hook after tests failed', of: 'net', first: result(5, [{ title: 'a', error: [] }]) },
  ];
  for (const { name, of, first } of final) {
    it(`runs nothing again when ${name}`, () => {
      expect(chooseRerun(suite(of), first)).to.equal(undefined);
    });
  }

  it('counts what passed the second time as passed, and names it as flaky with its first error', () => {
    const merged = mergeRerun(result(5, [failure('a'), failure('b')]), result(1, [failure('b')]));
    expect(merged).to.deep.include({ passed: 6, failed: 1, seconds: 20 });
    expect(merged.failures.map(({ title }) => title)).to.deep.equal(['b']);
    expect(merged.flaky?.map(({ title }) => title)).to.deep.equal(['a']);
  });

  it('clears nothing when the second run ended before it came to a test', () => {
    const died = { title: 'ended before its tests did', error: [] };
    const merged = mergeRerun(result(5, [failure('a')]), { ...result(0, [died], died.title), failed: 1 });
    expect(merged).to.deep.include({ passed: 5, failed: 1 });
    expect(merged.flaky).to.equal(undefined);
  });

  it('asks only the tests of what lingers after the second run, which holds what they had no part in', () => {
    const lingers = { title: 'did not end after its tests: Timeout', error: [] };
    const merged = mergeRerun(result(5, [failure('a')]), {
      ...result(1, [lingers], lingers.title),
      failed: 1,
    });
    expect(merged).to.deep.include({ passed: 6, failed: 0 });
  });
});
