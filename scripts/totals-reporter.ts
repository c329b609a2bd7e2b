import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import Mocha from 'mocha';
import { type Failure, firstLines } from './describe-failures.ts';
import type { Report } from './sum-results.ts';

/** Where scripts/test.ts wants the counts. */
export const TOTALS_FILE = 'FAIRLEAD_TEST_TOTALS';

/** What ends by itself takes far less. */
const LINGERS_AFTER_MS = 30_000;

/**
 * mocha's spec reporter, which also leaves its counts, what failed and what runs as JSON in the file that
 * $FAIRLEAD_TEST_TOTALS names; a run that hangs has told where. A process that tests left something open in is ended.
 */
export default class TotalsReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const file = process.env[TOTALS_FILE];
    const failures: Failure[] = [];
    const write = (more: Pick<Report, 'running' | 'lingering'> = {}) => {
      const { failures: failed, passes, pending } = this.stats;
      const report: Report = { passed: passes, failed: failed + pending, failures, ...more };
      if (file) writeFileSync(file, JSON.stringify(report));
    };
    const begin = (runnable: Mocha.Runnable) => write({ running: runnable.titlePath().join(' ') });
    runner.on('fail', (test, error) => failures.push(failureOf(test, error)));
    // A test that is skipped tests nothing: it counts as failed.
    runner.on('pending', (test) => failures.push(failureOf(test, 'was skipped')));
    runner.on('test', begin);
    runner.on('hook', begin);
    runner.once('end', () => {
      write();
      if (file) endLingering((lingering) => write({ lingering }));
    });
  }
}

function endLingering(tell: (resources: string[]) => void): void {
  setTimeout(() => {
    tell(process.getActiveResourcesInfo());
    process.exit(1);
  }, LINGERS_AFTER_MS).unref();
}

/** A hook has no file of its own, but its suite has. */
function failureOf(test: Mocha.Runnable, error: unknown): Failure {
  const root = process.cwd();
  const file = test.file ?? test.parent?.file;
  const again = patternOf(test);
  return {
    title: test.titlePath().join(' '),
    ...(file === undefined ? {} : { file: relative(root, file) }),
    error: firstLines(error, root),
    ...(again === undefined ? {} : { again }),
  };
}

/** Of a test, itself; of a hook before all tests of a suite, those tests. What other hooks failed in has run already. */
function patternOf(test: Mocha.Runnable): string | undefined {
  if (test instanceof Mocha.Test) return `^${RegExp.escape(test.titlePath().join(' '))}$`;
  const parents = test.parent?.titlePath().join(' ') ?? '';
  return test.title.startsWith('"before all" hook') && parents !== ''
    ? `^${RegExp.escape(parents)} `
    : undefined;
}
