import type { Service } from '../../kube/objects.ts';
import type { ServeMode } from '../node-context.ts';

export const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
export const OWN_PROXY_NAME = 'fairlead';

export type NotServedReason = 'ExternalName' | 'Headless' | 'OtherProxy';

/** What of a Service has rules: everything, or only what load balancers of Fairlead bring in, the rest being another proxy's. */
export type ServedPart = 'Everything' | 'LoadBalancers';

export type ServedDecision = { part: ServedPart; reason: null } | { part: null; reason: NotServedReason };

/**
 * What of a Service is served here. As kube-proxy's filter (pkg/proxy/util `ShouldSkipService` and its label selector), but
 * that a Service that asks for us by name is ours.
 */
export function decideServed(service: Service, mode: ServeMode): ServedDecision {
  if (service.spec.type === 'ExternalName') return { part: null, reason: 'ExternalName' };
  const { clusterIP } = service.spec;
  if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None') {
    return { part: null, reason: 'Headless' };
  }
  const proxy = service.metadata.labels?.[PROXY_NAME_LABEL];
  if (proxy === OWN_PROXY_NAME) return { part: 'Everything', reason: null };
  if (proxy !== undefined) return { part: null, reason: 'OtherProxy' };
  return { part: mode === 'All' ? 'Everything' : 'LoadBalancers', reason: null };
}
