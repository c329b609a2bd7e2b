import type { Page, Pages } from '../../kube/serve-pages.ts';
import type { OperatorMetrics } from './metrics.ts';

/** null: ready; otherwise what is being waited for, as a few words. */
export type Readiness = () => string | null;

/**
 * `/healthz` says that the event loop turns: it answers. It doesn't ask the API server, whose absence a restart wouldn't
 * mend. `/readyz` is true of a standby too: it is ready to take over.
 */
export function healthPages(readiness: Readiness): Pages {
  return {
    '/healthz': () => ({ status: 200, body: 'ok\n' }),
    '/readyz': (): Page => {
      const waitsFor = readiness();
      return waitsFor === null ? { status: 200, body: 'ok\n' } : { status: 503, body: `${waitsFor}\n` };
    },
  };
}

export function metricsPages(metrics: OperatorMetrics): Pages {
  return {
    '/metrics': async () => ({
      status: 200,
      contentType: metrics.registry.contentType,
      body: await metrics.registry.metrics(),
    }),
  };
}
