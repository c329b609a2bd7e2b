import { Worker } from 'node:worker_threads';
import type { Logger } from '../../kube/log.ts';
import type { HealthPage } from '../proxy-metrics/proxy-metrics.ts';
import type { HealthFacts } from './health-pages.ts';
import type { FromHealthThread, HealthThreadData, ToHealthThread } from './health-thread-protocol.ts';

export interface ServeHealthOptions {
  /** Port 0 serves nothing. */
  at: HealthThreadData;
  health: () => HealthFacts;
  onAnswer: (page: HealthPage, status: number) => void;
  log: Logger;
}

const THREAD = new URL('./health-thread.ts', import.meta.url);
const RETRY_MS = 5_000;
/** It answers two pages; without limits it would take what is right for a whole process. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

/**
 * Serves the health pages from a thread of its own, so that whoever asks has an answer in time while this thread takes in
 * hundreds of thousands of endpoints. Resolves after the first try to listen.
 */
export async function serveHealth(options: ServeHealthOptions): Promise<{ close(): Promise<void> }> {
  if (options.at.port === 0) return { close: async () => {} };
  let worker: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const start = (): Promise<void> =>
    new Promise((tried) => {
      worker = startThread(options, tried);
      worker.once('exit', () => {
        tried();
        if (!closed) timer = setTimeout(start, RETRY_MS);
      });
    });
  await start();
  return {
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await worker?.terminate();
    },
  };
}

function startThread({ at, health, onAnswer, log }: ServeHealthOptions, tried: () => void): Worker {
  const worker = new Worker(THREAD, { workerData: at, resourceLimits: LIMITS });
  worker.on('message', (message: FromHealthThread) => {
    switch (message.kind) {
      case 'ask':
        worker.postMessage(health() satisfies ToHealthThread);
        break;
      case 'tried':
        tried();
        break;
      case 'answered':
        onAnswer(message.page, message.status);
        break;
      case 'log':
        log[message.level](message.event, message.fields);
    }
  });
  // It is there for the agent, not the agent for it.
  worker.unref();
  worker.on('error', (error) => log.error('HealthThreadFailed', { error, retryMs: RETRY_MS }));
  return worker;
}
