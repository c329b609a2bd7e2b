import { configure } from '../../../kube/configure.ts';
import { CASES } from './cases.ts';
import { readConfig, renderHelp } from './config.ts';
import { runCases } from './run-cases.ts';

const config = configure(readConfig, renderHelp);
if (config !== undefined) {
  // Whoever reads it may have seen enough: `| head`.
  process.stdout.on('error', () => process.exit(1));
  const results = await runCases(config, ({ name, problem }) => {
    const line = problem === undefined ? `ok      ${name}` : `NOT OK  ${name}\n        ${problem}`;
    process.stdout.write(`${line}\n`);
  });
  const failed = results.filter(({ problem }) => problem !== undefined).length;
  const left = CASES.length - results.length;
  const notRun = left === 0 ? '' : `, ${left} not run: the server can't be reached`;
  process.stdout.write(`\n${results.length - failed} passed, ${failed} failed${notRun}\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
