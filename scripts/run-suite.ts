import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Failure } from './describe-failures.ts';
import { type CheckSuite, filesExist, type MochaSuite, type Suite } from './suites.ts';
import {
  countProblem,
  type Ending,
  judgeRun,
  type Report,
  type SuiteResult,
  type Totals,
} from './sum-results.ts';
import { TOTALS_FILE } from './totals-reporter.ts';

/** How long scripts/in-namespaces may take to end everything inside. */
const TERM_GRACE_MS = 15_000;

/** Where the output of a suite goes: a file descriptor, of our output or of a file. */
type Output = number;
const OURS: Output = 1;

/** Runs a suite, its output going to ours. `mochaArgs` are for mocha, such as `--grep pool`. */
export async function runSuite(
  suite: Suite,
  mochaArgs: readonly string[],
  output: Output = OURS,
): Promise<SuiteResult> {
  writeSync(output, `\n=== ${suite.name}: ${suite.about}\n`);
  const started = performance.now();
  const judged = 'steps' in suite ? await runSteps(suite, output) : await runMocha(suite, mochaArgs, output);
  return { name: suite.name, seconds: (performance.now() - started) / 1000, ...judged };
}

/** As runSuite, but its output is kept until it ends: another suite runs beside it. */
export async function runSuiteAside(suite: Suite, mochaArgs: readonly string[]): Promise<SuiteResult> {
  const dir = mkdtempSync(join(tmpdir(), 'fairlead-output-'));
  const file = join(dir, suite.name);
  const output = openSync(file, 'w');
  process.stdout.write(`... ${suite.name} runs\n`);
  try {
    return await runSuite(suite, mochaArgs, output);
  } finally {
    closeSync(output);
    process.stdout.write(readFileSync(file));
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runSteps(suite: CheckSuite, output: Output): Promise<Totals> {
  const failures: Failure[] = [];
  for (const step of suite.steps) {
    const { status } = await run(step.command, step.args, {
      env: {},
      output,
      timeoutMinutes: suite.timeoutMinutes,
    });
    if (status !== 0) failures.push({ title: step.name, error: [`${step.command} ${step.args.join(' ')}`] });
    writeSync(output, `${status === 0 ? 'ok' : 'FAILED'}: ${step.name}\n`);
  }
  return { passed: suite.steps.length - failures.length, failed: failures.length, failures };
}

async function runMocha(
  suite: MochaSuite,
  mochaArgs: readonly string[],
  output: Output,
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
    const ending = await run(program, args, {
      env: { [TOTALS_FILE]: totalsFile },
      output,
      timeoutMinutes: suite.timeoutMinutes,
    });
    return judgeRun(readReport(totalsFile), ending);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function readReport(file: string): Report | undefined {
  try {
    const report: Report = JSON.parse(readFileSync(file, 'utf8'));
    return report;
  } catch {
    return undefined;
  }
}

function run(
  command: string,
  args: readonly string[],
  options: { env: Record<string, string>; output: Output; timeoutMinutes: number },
): Promise<Ending> {
  const { output } = options;
  const child = spawn(command, args, {
    stdio: output === OURS ? 'inherit' : ['ignore', output, output],
    env: { ...process.env, ...options.env },
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS).unref();
  }, options.timeoutMinutes * 60_000);
  // SIGINT comes from the terminal, which sends it to the child too.
  const forward = () => child.kill('SIGTERM');
  process.on('SIGTERM', forward);
  return new Promise<Ending>((resolve) => {
    child.once('error', (error) => {
      writeSync(output === OURS ? 2 : output, `${command}: ${error.message}\n`);
      resolve({ status: 127, timedOut });
    });
    child.once('exit', (status) => resolve({ status, timedOut }));
  }).finally(() => {
    clearTimeout(timer);
    process.off('SIGTERM', forward);
  });
}
