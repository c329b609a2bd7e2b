import type { Logger } from './log.ts';

export interface Running {
  stop(): Promise<void>;
}

/** Below the 30 s that Kubernetes gives a Pod to end. */
const LONGEST_STOP_MS = 15_000;

/**
 * Runs what `start` starts until SIGTERM or SIGINT, then stops it and ends the process; a second signal ends it at once. An
 * error that nobody caught ends it, too, with 1: for processes whose work in the kernel goes on without them, and is
 * taken over by their next life.
 */
export async function runUntilStopped(start: () => Promise<Running>, log: Logger): Promise<void> {
  let running: Running | undefined;
  let stopping = false;

  const crash = (event: string, error: unknown): void => {
    log.error(event, { error });
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
    running = await start();
  } catch (error) {
    crash('StartFailed', error);
  }
}
