import type { Page, Pages } from '../../kube/serve-pages.ts';
import type { AgentConfig } from '../config.ts';

/** What kube-proxy has at its metrics address, as far as it concerns us: metrics, its mode, its configuration. */
export function metricsPages(metrics: () => Promise<Page>, config: AgentConfig): Pages {
  return {
    '/metrics': metrics,
    '/healthz': () => ({ status: 200, body: 'ok' }),
    '/proxyMode': () => ({ status: 200, body: 'nftables' }),
    '/configz': () => ({
      status: 200,
      contentType: 'application/json',
      body: JSON.stringify({ 'agent.fairlead.dev': config }),
    }),
  };
}
