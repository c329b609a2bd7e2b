import type { Service } from '../../kube/objects.ts';

export const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';
export const OWN_PROXY_NAME = 'fairlead';

export type NotServedReason = 'ExternalName' | 'Headless' | 'OtherProxy';

/**
 * Why a Service has no rules at all, or null. As kube-proxy's filter (pkg/proxy/util `ShouldSkipService` and its label
 * selector), but that a Service that asks for us by name is ours.
 */
export function reasonNotServed(service: Service): NotServedReason | null {
  if (service.spec.type === 'ExternalName') return 'ExternalName';
  const { clusterIP } = service.spec;
  if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None') return 'Headless';
  const proxy = service.metadata.labels?.[PROXY_NAME_LABEL];
  if (proxy !== undefined && proxy !== OWN_PROXY_NAME) return 'OtherProxy';
  return null;
}
