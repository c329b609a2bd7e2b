import { flushCompileCache } from 'node:module';
import { configure } from '../kube/configure.ts';
import { createLogger, type Logger } from '../kube/log.ts';
import { removeAnnouncedAddresses, removeTables } from './clean-up.ts';
import { type AgentConfig, readConfig, renderHelp } from './config.ts';
import { type RunningAgent, runAgent } from './run.ts';

/** Below the 30 s that Kubernetes gives a Pod to end. */
const LONGEST_STOP_MS = 15_000;

const config = configure(readConfig, renderHelp);
if (config !== undefined) {
  const log = createLogger({ level: config.logLevel, component: 'agent' });
  await (config.command === 'cleanup' ? clean(log) : run(config, log));
}

/** What can't be removed keeps nothing else. */
async function clean(log: Logger): Promise<void> {
  for (const remove of [removeAnnouncedAddresses, () => removeTables()]) {
    try {
      await remove(log);
    } catch (error) {
      log.error('CleanupFailed', { error });
      process.exitCode = 1;
    }
  }
  if (process.exitCode !== 1) log.info('CleanedUp');
}

async function run(config: AgentConfig, log: Logger): Promise<void> {
  let running: RunningAgent | undefined;
  let stopping = false;

  const crash = (event: string, error: unknown): void => {
    log.error(event, { error });
    // The rules go on without us, and the next life of the agent takes them over.
    process.exit(1);
  };
  process.on('uncaughtException', (error) => crash('UncaughtException', error));
  process.on('unhandledRejection', (error) => crash('UnhandledRejection', error));

  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info('Stopping', { signal });
    setTimeout(() => process.exit(1), LONGEST_STOP_MS).unref();
    void Promise.resolve(running?.stop()).then(
      () => process.exit(0),
      (error: unknown) => crash('StopFailed', error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  try {
    running = await runAgent(config, log);
    // Whoever is killed later has written it.
    flushCompileCache();
  } catch (error) {
    crash('StartFailed', error);
  }
}
