import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/** Where scripts/test.ts wants the counts. */
export const TOTALS_FILE = 'FAIRLEAD_TEST_TOTALS';

/** mocha's spec reporter, which also leaves its counts as JSON in the file that $FAIRLEAD_TEST_TOTALS names. */
export default class TotalsReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      const file = process.env[TOTALS_FILE];
      // A test that is skipped tests nothing: it counts as failed.
      const failed = this.stats.failures + this.stats.pending;
      if (file) writeFileSync(file, JSON.stringify({ passed: this.stats.passes, failed }));
    });
  }
}
