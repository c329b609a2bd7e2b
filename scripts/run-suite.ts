import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Failure } from './describe-failures.ts';
import { type CheckSuite, filesExist, type MochaSuite, type Suite } from './suites.ts';
import { countProblem, type Ending, judgeRun, type SuiteResult, type Totals } from './sum-results.ts';
import { TOTALS_FILE } from './totals-reporter.ts';

/** How long scripts/in-namespaces may take to end everything inside. */
const TERM_GRACE_MS = 15_000;

/** Runs a suite, its output going to ours. `mochaArgs` are for mocha, such as `--grep pool`. */
export async function runSuite(suite: Suite, mochaArgs: readonly string[]): Promise<SuiteResult> {
  process.stdout.write(`\n=== ${suite.name}: ${suite.about}\n`);
  const started = performance.now();
  const judged = 'steps' in suite ? await runSteps(suite) : await runMocha(suite, mochaArgs);
  return { name: suite.name, seconds: (performance.now() - started) / 1000, ...judged };
}

async function runSteps(suite: CheckSuite): Promise<Totals> {
  const failures: Failure[] = [];
  for (const step of suite.steps) {
    const { status } = await run(step.command, step.args, {}, suite.timeoutMinutes);
    if (status !== 0) failures.push({ title: step.name, error: [`${step.command} ${step.args.join(' ')}`] });
    process.stdout.write(`${status === 0 ? 'ok' : 'FAILED'}: ${step.name}\n`);
  }
  return { passed: suite.steps.length - failures.length, failed: failures.length, failures };
}

async function runMocha(
  suite: MochaSuite,
  mochaArgs: readonly string[],
): Promise<Totals & { problem?: string }> {
  const nothing = { passed: 0, failed: 0, failures: [] };
  if (!filesExist(suite.files)) return { ...nothing, ...countProblem(nothing, `no file is ${suite.files}`) };
  const dir = mkdtempSync(join(tmpdir(), 'fairlead-test-'));
  const totalsFile = join(dir, 'totals.json');
  const command = [
    ...(suite.isolated ? ['scripts/in-namespaces'] : []),
    process.execPath,
    'node_modules/mocha/bin/mocha.js',
    '--forbid-only',
    '--reporter',
    'scripts/totals-reporter.ts',
    ...mochaArgs,
    suite.files,
  ];
  try {
    const [program = process.execPath, ...args] = command;
    const ending = await run(program, args, { [TOTALS_FILE]: totalsFile }, suite.timeoutMinutes);
    return judgeRun(readTotals(totalsFile), ending);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function readTotals(file: string): Totals | undefined {
  try {
    const totals: Totals = JSON.parse(readFileSync(file, 'utf8'));
    return totals;
  } catch {
    return undefined;
  }
}

function run(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  timeoutMinutes: number,
): Promise<Ending> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS).unref();
  }, timeoutMinutes * 60_000);
  // SIGINT comes from the terminal, which sends it to the child too.
  const forward = () => child.kill('SIGTERM');
  process.on('SIGTERM', forward);
  return new Promise<Ending>((resolve) => {
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve({ status: 127, timedOut });
    });
    child.once('exit', (status) => resolve({ status, timedOut }));
  }).finally(() => {
    clearTimeout(timer);
    process.off('SIGTERM', forward);
  });
}
