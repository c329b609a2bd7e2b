import { flushCompileCache } from 'node:module';
import { configure } from '../kube/configure.ts';
import { createLogger, type Logger } from '../kube/log.ts';
import { runUntilStopped } from '../kube/run-until-stopped.ts';
import { removeAnnouncedAddresses, removeTables } from './clean-up.ts';
import { type AgentConfig, readConfig, renderHelp } from './config.ts';
import { type RunningAgent, runAgent } from './run.ts';

const config = configure(readConfig, renderHelp);
if (config !== undefined) {
  const log = createLogger({ level: config.logLevel, component: 'agent' });
  if (config.command === 'cleanup') await clean(log);
  else await runUntilStopped(() => start(config, log), log);
}

async function start(config: AgentConfig, log: Logger): Promise<RunningAgent> {
  const running = await runAgent(config, log);
  // Whoever is killed later has written it.
  flushCompileCache();
  return running;
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
