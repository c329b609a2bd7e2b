import type { Logger } from '../../kube/log.ts';
import type { AgentConfig } from '../config.ts';
import type { HealthFacts } from './health-pages.ts';
import { keepServing } from './keep-serving.ts';
import type { AgentMetrics } from './metrics.ts';
import { metricsPages } from './metrics-pages.ts';
import { serveHealth } from './serve-health.ts';

export interface WebParts {
  config: AgentConfig;
  health: () => HealthFacts;
  metrics: AgentMetrics;
  log: Logger;
}

/** Everything that is asked of the agent itself: health where others reach it, the rest where only the node does. */
export async function serveWeb({ config, health, metrics, log }: WebParts): Promise<() => Promise<void>> {
  const onAnswer = metrics.proxy.answered.bind(metrics.proxy);
  const servers = await Promise.all([
    serveHealth({ at: config.healthAddress, health, onAnswer, log }),
    keepServing(
      metricsPages(() => metrics.page(), config),
      config.metricsAddress,
      log,
    ),
  ]);
  return async () => {
    await Promise.all(servers.map((server) => server.close()));
  };
}
