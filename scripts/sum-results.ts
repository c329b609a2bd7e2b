import type { Failure } from './describe-failures.ts';

/** What the reporter counted. */
export interface Totals {
  passed: number;
  failed: number;
  failures: readonly Failure[];
}

/** What the reporter wrote last. */
export interface Report extends Totals {
  /** The test or hook that ran then; absent once all have ended. */
  running?: string;
  /** What kept the process from ending after its tests, as Node names it. */
  lingering?: readonly string[];
}

/** How the process of a suite ended. */
export interface Ending {
  /** Null when a signal ended it. */
  status: number | null;
  timedOut: boolean;
}

export interface SuiteResult extends Totals {
  name: string;
  seconds: number;
  /** Failed, and passed when they were run again; among `passed`. */
  flaky?: readonly Failure[];
  /** Why something that no test counted failed too. */
  problem?: string;
}

/**
 * Judges one mocha run. A run that ends badly without a failed test (it died, hung, failed to load, or left an
 * unhandled rejection), and one without any test, count as one failure more. `report` is undefined when the run
 * never got to a test.
 */
export function judgeRun(report: Report | undefined, ending: Ending): Totals & { problem?: string } {
  const { passed, failed, failures } = report ?? { passed: 0, failed: 0, failures: [] };
  const counted = { passed, failed, failures };
  const problem = findProblem(report, ending);
  return problem === undefined ? counted : { ...counted, ...countProblem(counted, problem) };
}

/** One failure more, which no test tells of. */
export function countProblem({ failed, failures }: Omit<Totals, 'passed'>, problem: string) {
  return { failed: failed + 1, failures: [...failures, { title: problem, error: [] }], problem };
}

function findProblem(report: Report | undefined, ending: Ending): string | undefined {
  const where = report?.running === undefined ? '' : `, in: ${report.running}`;
  if (ending.timedOut) return `did not end in time${where}`;
  if (report === undefined || report.running !== undefined) {
    return `ended before its tests did (${describe(ending)})${where}`;
  }
  if (report.lingering !== undefined) return `did not end after its tests: ${report.lingering.join(', ')}`;
  if (report.passed + report.failed === 0) return 'ran no test';
  if (ending.status !== 0 && report.failed === 0) return `ended badly after its tests (${describe(ending)})`;
  return undefined;
}

function describe(ending: Ending): string {
  return ending.status === null ? 'killed' : `exit status ${ending.status}`;
}

/** The table of suites, and as the last line the sum that CI reads. */
export function summarize(results: readonly SuiteResult[]): string[] {
  const width = Math.max(0, ...results.map((result) => result.name.length));
  const rows = results.map((result) => {
    const counts = `${result.passed} passed, ${result.failed} failed`;
    const flaky = result.flaky?.length ? `, ${result.flaky.length} of them flaky` : '';
    const why = result.problem === undefined ? '' : `: ${result.problem}`;
    return `${result.name.padEnd(width)}  ${result.seconds.toFixed(1).padStart(6)} s  ${counts}${flaky}${why}`;
  });
  const sum = (of: 'passed' | 'failed') => results.reduce((total, result) => total + result[of], 0);
  return [...rows, `${sum('passed')} passed, ${sum('failed')} failed`];
}

/** Whether all went well; nothing run is not well. */
export function succeeded(results: readonly SuiteResult[]): boolean {
  return results.length > 0 && results.every((result) => result.failed === 0 && result.passed > 0);
}
