import { configure } from '../../../kube/configure.ts';
import { readConfig, renderHelp } from './config.ts';
import { runCases } from './run-cases.ts';

const config = configure(readConfig, renderHelp);
if (config !== undefined) {
  const results = await runCases(config, ({ name, problem }) => {
    const line = problem === undefined ? `ok      ${name}` : `NOT OK  ${name}\n        ${problem}`;
    process.stdout.write(`${line}\n`);
  });
  const failed = results.filter(({ problem }) => problem !== undefined).length;
  process.stdout.write(`\n${results.length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
