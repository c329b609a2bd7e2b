import { configure } from '../kube/configure.ts';
import { createLogger, type Logger } from '../kube/log.ts';
import { type OperatorConfig, readConfig, renderHelp } from './config.ts';
import { type RunningOperator, runOperator } from './run.ts';

/** Below the 30 s that Kubernetes gives a Pod to end. */
const LONGEST_STOP_MS = 25_000;
const LONGEST_CUT_MS = 2_000;

const config = configure(readConfig, renderHelp);
if (config !== undefined) await run(config, createLogger({ level: config.logLevel, component: 'operator' }));

async function run(config: OperatorConfig, log: Logger): Promise<void> {
  let running: RunningOperator | undefined;
  let stopping = false;

  const crash = (event: string, fields: object): void => {
    log.error(event, fields);
    // What is still on its way out must not arrive after another operator leads.
    exitAfter(running?.cut(), LONGEST_CUT_MS, 1);
  };
  process.on('uncaughtException', (error) => crash('UncaughtException', { error }));
  process.on('unhandledRejection', (error) => crash('UnhandledRejection', { error }));

  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info('Stopping', { signal });
    exitAfter(
      running?.stop().then(() => log.info('Stopped')),
      LONGEST_STOP_MS,
      0,
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  try {
    running = await runOperator({ config, log, onFatal: crash });
  } catch (error) {
    crash('StartFailed', { error });
  }
}

/** Ends the process when `work` is done, or with 1 when that fails or takes too long. */
function exitAfter(work: Promise<void> | undefined, longestMs: number, code: number): void {
  setTimeout(() => process.exit(1), longestMs);
  Promise.resolve(work).then(
    () => process.exit(code),
    () => process.exit(1),
  );
}
