import { configure } from '../kube/configure.ts';
import { createLogger, type Logger } from '../kube/log.ts';
import { type EdgeConfig, readConfig, renderHelp } from './config.ts';
import { type RunningEdge, runEdge } from './run.ts';

/** Below the 30 s that Kubernetes gives a Pod to end. */
const LONGEST_STOP_MS = 15_000;

const config = configure(readConfig, renderHelp);
if (config !== undefined) await run(config, createLogger({ level: config.logLevel, component: 'edge' }));

async function run(config: EdgeConfig, log: Logger): Promise<void> {
  let running: RunningEdge | undefined;
  let stopping = false;

  const crash = (event: string, error: unknown): void => {
    log.error(event, { error });
    // HAProxy goes on without us, and the next life of the edge finds it.
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
    running = await runEdge(config, log);
  } catch (error) {
    crash('StartFailed', error);
  }
}
