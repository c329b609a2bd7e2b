/**
 * Runs suites, all of them even when one fails, and ends with the line `N passed, N failed`. What failed on real parts is
 * run once more, unless mocha was given arguments, and told as flaky when it passes then.
 *
 *   node scripts/test.ts [--side-by-side] [suite...] [-- mocha arguments]
 */
import { describeFailures } from './describe-failures.ts';
import { chooseRerun, mergeRerun } from './rerun-failed.ts';
import { runSuite, runSuiteAside } from './run-suite.ts';
import { chooseSuites, type Suite, splitIntoLanes } from './suites.ts';
import { countProblem, type SuiteResult, succeeded, summarize } from './sum-results.ts';

const args = process.argv.slice(2);
const split = args.includes('--') ? args.indexOf('--') : args.length;
const SIDE_BY_SIDE = '--side-by-side';
const asked = args.slice(0, split);
const suites = chooseSuites(asked.filter((name) => name !== SIDE_BY_SIDE));
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
const lanes = asked.includes(SIDE_BY_SIDE) ? splitIntoLanes(suites) : [suites];
const run = lanes.length === 1 ? runSuite : runSuiteAside;
const runTwice = async (suite: Suite): Promise<SuiteResult> => {
  const mochaArgs = args.slice(split + 1);
  const first = await run(suite, mochaArgs);
  const pattern = mochaArgs.length > 0 ? undefined : chooseRerun(suite, first);
  if (pattern === undefined || interrupted !== undefined) return first;
  process.stdout.write(`\n=== ${suite.name}: what failed is run again\n`);
  return mergeRerun(first, await run(suite, ['--grep', pattern]));
};
const runLane = async (lane: readonly Suite[]) => {
  for (const suite of lane) {
    if (interrupted === undefined) results.push(await runTwice(suite));
  }
};
await Promise.all(lanes.map(runLane));
const order = suites.map(({ name }) => name);
results.sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name));
if (interrupted !== undefined) {
  fail('run', `interrupted by ${interrupted}`);
}
const failures = describeFailures(results);
if (failures.length > 0) process.stdout.write(`\n${failures.join('\n')}\n`);
process.stdout.write(`\n${summarize(results).join('\n')}\n`);
process.exitCode = succeeded(results) ? 0 : 1;
