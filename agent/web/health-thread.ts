/** Runs in a thread of its own and serves the health pages there: see serve-health.ts. */
import '../compile-cache.ts';
import { parentPort, workerData } from 'node:worker_threads';
import type { Logger } from '../../kube/log.ts';
import { healthPages } from './health-pages.ts';
import type { FromHealthThread, HealthThreadData, ToHealthThread } from './health-thread-protocol.ts';
import { keepServing } from './keep-serving.ts';
import { LastKnownHealth } from './last-known-health.ts';

const tell = (message: FromHealthThread) => parentPort?.postMessage(message);
const say =
  (level: 'debug' | 'info' | 'warn' | 'error') =>
  (event: string, fields: object = {}) =>
    tell({ kind: 'log', level, event, fields });
const log: Logger = {
  debug: say('debug'),
  info: say('info'),
  warn: say('warn'),
  error: say('error'),
  child: () => log,
};

const { host, port }: HealthThreadData = workerData;
const health = new LastKnownHealth({ ask: () => tell({ kind: 'ask' }) });
parentPort?.on('message', (facts: ToHealthThread) => health.tell(facts));
const pages = healthPages(
  () => health.facts(),
  () => new Date(),
  (page, status) => tell({ kind: 'answered', page, status }),
);
await keepServing(pages, { host, port }, log);
tell({ kind: 'tried' });
