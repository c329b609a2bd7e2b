import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { KubeClient } from '../kube/client.ts';
import { loadConnectionConfig } from '../kube/config.ts';
import { Elector } from '../kube/elector.ts';
import { ClassedError } from '../kube/errors.ts';
import type { Logger } from '../kube/log.ts';
import { serve, type WebServer } from '../kube/serve-pages.ts';
import type { OperatorConfig } from './config.ts';
import { FairleadOperator } from './fairlead-operator.ts';
import { OperatorMetrics } from './web/metrics.ts';
import { healthPages, metricsPages } from './web/pages.ts';

export interface RunningOperator {
  /** Finishes what runs, then gives the Lease away. */
  stop(): Promise<void>;
  /** Cuts every connection: nothing more is written. */
  cut(): Promise<void>;
}

/**
 * Runs an operator: a standby until it leads. `onFatal` is called at most once, when it can't go on: the Lease is lost or
 * leading could not begin. From the moment the Lease is lost on, its client refuses to write.
 */
export async function runOperator(options: {
  config: OperatorConfig;
  log: Logger;
  onFatal: (event: string, fields: object) => void;
}): Promise<RunningOperator> {
  const { config, log } = options;
  const { kubeconfig, context } = config;
  const connection = await loadConnectionConfig({ kubeconfig, context });
  const identity = `${process.env.POD_NAME ?? hostname()}_${randomUUID().slice(0, 8)}`;
  const metrics = new OperatorMetrics();
  // Renewals must not wait behind a burst of writes.
  const leaseClient = new KubeClient(connection, { userAgent: 'fairlead-operator', connections: 2 });
  const client = new KubeClient(connection, {
    userAgent: 'fairlead-operator',
    connections: config.connections,
    beforeWrite: () => {
      if (!elector.isLeader) throw notLeading();
    },
  });
  const operator = new FairleadOperator({ client, config, metrics, identity, log });
  let ended = false;
  const fail = (event: string, fields: object) => {
    if (ended) return;
    ended = true;
    options.onFatal(event, fields);
  };
  const elector = new Elector({
    client: leaseClient,
    namespace: config.namespace,
    name: config.leaseName,
    identity,
    leaseDurationMs: config.leaseDurationSeconds * 1000,
    renewDeadlineMs: config.renewDeadlineSeconds * 1000,
    retryPeriodMs: config.retryPeriodSeconds * 1000,
    log,
    onStartedLeading: () => {
      metrics.setLeading(true);
      operator.start().catch((error: unknown) => fail('StartFailed', { error }));
    },
    onStoppedLeading: (why) => {
      metrics.setLeading(false);
      fail('LeadershipLost', { why });
    },
  });
  const close = async () => {
    await Promise.all([client.close(), leaseClient.close()]);
  };
  const readiness = () => (elector.isLeader && !operator.isReady ? 'leading; taking in claims' : null);
  const servers = await serveWeb(config, metrics, readiness, log).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  elector.start();
  log.info('Started', { identity, namespace: config.namespace });
  return {
    async stop() {
      ended = true;
      await operator.stop();
      await elector.stop();
      await Promise.all(servers.map((server) => server.close()));
      await close();
    },
    cut: close,
  };
}

async function serveWeb(
  config: OperatorConfig,
  metrics: OperatorMetrics,
  readiness: () => string | null,
  log: Logger,
): Promise<WebServer[]> {
  const { bindAddress: address, healthPort, metricsPort } = config;
  const health = healthPages(readiness);
  const numbers = metricsPages(metrics);
  const wanted =
    healthPort === metricsPort
      ? [{ port: healthPort, pages: { ...health, ...numbers } }]
      : [
          { port: healthPort, pages: health },
          { port: metricsPort, pages: numbers },
        ];
  const servers: WebServer[] = [];
  for (const { port, pages } of wanted) {
    if (port !== 0) servers.push(await serve(pages, { port, address, log }));
  }
  return servers;
}

function notLeading(): ClassedError {
  return new ClassedError('nothing is written: this operator does not lead', {
    class: 'Transient',
    reason: 'NotLeading',
  });
}
