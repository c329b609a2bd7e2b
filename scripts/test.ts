/**
 * Runs suites, all of them even when one fails, and ends with the line `N passed, N failed`.
 *
 *   node scripts/test.ts [suite...] [-- mocha arguments]
 */
import { describeFailures } from './describe-failures.ts';
import { runSuite } from './run-suite.ts';
import { chooseSuites } from './suites.ts';
import { countProblem, type SuiteResult, succeeded, summarize } from './sum-results.ts';

const args = process.argv.slice(2);
const split = args.includes('--') ? args.indexOf('--') : args.length;
const suites = chooseSuites(args.slice(0, split));
let interrupted: NodeJS.Signals | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = signal;
  });
}

const results: SuiteResult[] = [];
const fail = (name: string, problem: string) => {
  const nothing = { name, seconds: 0, passed: 0, failed: 0, failures: [] };
  results.push({ ...nothing, ...countProblem(nothing, problem) });
};
try {
  if (suites.some((suite) => 'files' in suite && suite.needsControlPlane)) {
    // Before any namespace is entered: what isn't built yet needs the network.
    const { findKubectl, findPrograms } = await import('../test/controlplane/binaries.ts');
    const { CLUSTER_PROGRAMS } = await import('../test/controlplane/versions.ts');
    await findPrograms(...CLUSTER_PROGRAMS);
    await findKubectl();
  }
} catch (error) {
  const problem = error instanceof Error ? error.message : String(error);
  fail('control plane', problem);
}
for (const suite of suites) {
  if (interrupted === undefined) results.push(await runSuite(suite, args.slice(split + 1)));
}
if (interrupted !== undefined) {
  fail('run', `interrupted by ${interrupted}`);
}
const failures = describeFailures(results);
if (failures.length > 0) process.stdout.write(`\n${failures.join('\n')}\n`);
process.stdout.write(`\n${summarize(results).join('\n')}\n`);
process.exitCode = succeeded(results) ? 0 : 1;
