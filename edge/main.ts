import { configure } from '../kube/configure.ts';
import { createLogger } from '../kube/log.ts';
import { runUntilStopped } from '../kube/run-until-stopped.ts';
import { readConfig, renderHelp } from './config.ts';
import { runEdge } from './run.ts';

const config = configure(readConfig, renderHelp);
if (config !== undefined) {
  const log = createLogger({ level: config.logLevel, component: 'edge' });
  await runUntilStopped(() => runEdge(config, log), log);
}
