import type { HealthPage } from '../proxy-metrics/proxy-metrics.ts';
import type { HealthFacts } from './health-pages.ts';

/** What the thread of the health pages is started with. */
export interface HealthThreadData {
  host: string;
  port: number;
}

/** From that thread to the one that does the agent's work. */
export type FromHealthThread =
  | { kind: 'ask' }
  | { kind: 'tried' }
  | { kind: 'answered'; page: HealthPage; status: number }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; event: string; fields: object };

/** The answer to `ask`: how things are. */
export type ToHealthThread = HealthFacts;
