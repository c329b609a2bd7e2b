import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import Mocha from 'mocha';
import { type Failure, firstLines } from './describe-failures.ts';

/** Where scripts/test.ts wants the counts. */
export const TOTALS_FILE = 'FAIRLEAD_TEST_TOTALS';

/**
 * mocha's spec reporter, which also leaves its counts and what failed as JSON in the file that
 * $FAIRLEAD_TEST_TOTALS names.
 */
export default class TotalsReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const failures: Failure[] = [];
    runner.on('fail', (test, error) => failures.push(failureOf(test, error)));
    // A test that is skipped tests nothing: it counts as failed.
    runner.on('pending', (test) => failures.push(failureOf(test, 'was skipped')));
    runner.once('end', () => {
      const file = process.env[TOTALS_FILE];
      const failed = this.stats.failures + this.stats.pending;
      if (file) writeFileSync(file, JSON.stringify({ passed: this.stats.passes, failed, failures }));
    });
  }
}

/** A hook has no file of its own, but its suite has. */
function failureOf(test: Mocha.Runnable, error: unknown): Failure {
  const root = process.cwd();
  const file = test.file ?? test.parent?.file;
  return {
    title: test.titlePath().join(' '),
    ...(file === undefined ? {} : { file: relative(root, file) }),
    error: firstLines(error, root),
  };
}
