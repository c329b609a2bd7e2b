import { expect } from 'chai';
import type { Failure } from '../../../scripts/describe-failures.ts';
import { judgeRun, type SuiteResult, succeeded, summarize } from '../../../scripts/sum-results.ts';

const none: readonly Failure[] = [];
const told = (problem: string) => ({ failures: [{ title: problem, error: [] }], problem });
const well = { status: 0, timedOut: false };
const result = (name: string, passed: number, failed: number): SuiteResult => ({
  name,
  passed,
  failed,
  failures: none,
  seconds: 1.25,
});

describe('scripts/sum-results', () => {
  const cases = [
    {
      name: 'a run that went well is what its reporter counted',
      totals: { passed: 3, failed: 0, failures: none },
      ending: well,
      expected: { passed: 3, failed: 0, failures: none },
    },
    {
      name: 'failed tests explain the exit status of their run',
      totals: { passed: 3, failed: 2, failures: none },
      ending: { status: 2, timedOut: false },
      expected: { passed: 3, failed: 2, failures: none },
    },
    {
      name: 'a run without any test fails',
      totals: { passed: 0, failed: 0, failures: none },
      ending: well,
      expected: { passed: 0, failed: 1, ...told('ran no test') },
    },
    {
      name: 'a run that ended badly though its tests passed fails',
      totals: { passed: 3, failed: 0, failures: none },
      ending: { status: 7, timedOut: false },
      expected: { passed: 3, failed: 1, ...told('ended badly after its tests (exit status 7)') },
    },
    {
      name: 'a run that was killed before it counted fails',
      totals: undefined,
      ending: { status: null, timedOut: false },
      expected: { passed: 0, failed: 1, ...told('ended before its tests did (killed)') },
    },
    {
      name: 'a run that hung after its tests fails, and they still count',
      totals: { passed: 3, failed: 1, failures: none },
      ending: { status: null, timedOut: true },
      expected: { passed: 3, failed: 2, ...told('did not end in time') },
    },
    {
      name: 'a run that hung in a test fails by its name, and what passed before counts',
      totals: { passed: 3, failed: 0, failures: none, running: 'Pool claims' },
      ending: { status: null, timedOut: true },
      expected: { passed: 3, failed: 1, ...told('did not end in time, in: Pool claims') },
    },
    {
      name: 'a run that died in a test fails by its name',
      totals: { passed: 3, failed: 0, failures: none, running: 'Pool claims' },
      ending: { status: null, timedOut: false },
      expected: { passed: 3, failed: 1, ...told('ended before its tests did (killed), in: Pool claims') },
    },
    {
      name: 'a run whose tests left something open fails, and tells what',
      totals: { passed: 3, failed: 0, failures: none, lingering: ['TCPServerWrap'] },
      ending: { status: 1, timedOut: false },
      expected: { passed: 3, failed: 1, ...told('did not end after its tests: TCPServerWrap') },
    },
  ];
  for (const { name, totals, ending, expected } of cases) {
    it(name, () => {
      expect(judgeRun(totals, ending)).to.deep.equal(expected);
    });
  }

  it('ends with the sum of all suites', () => {
    const lines = summarize([
      result('unit', 12, 0),
      { ...result('net', 3, 1), problem: 'did not end in time' },
    ]);
    expect(lines).to.deep.equal([
      'unit     1.3 s  12 passed, 0 failed',
      'net      1.3 s  3 passed, 1 failed: did not end in time',
      '15 passed, 1 failed',
    ]);
  });

  it('succeeds only when every suite passed something and failed nothing', () => {
    expect(succeeded([result('unit', 1, 0), result('net', 1, 0)])).to.equal(true);
    expect(succeeded([result('unit', 1, 0), result('net', 1, 1)])).to.equal(false);
    expect(succeeded([result('unit', 1, 0), result('net', 0, 0)])).to.equal(false);
    expect(succeeded([])).to.equal(false);
  });
});
