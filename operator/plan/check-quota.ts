import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import type { Finding } from '../../providers/provider.ts';
import { REASONS } from '../status/reasons.ts';

/** Why a namespace may have no further load balancer at a provider; `others`: how many it has without this one. */
export function checkQuota(
  provider: LoadBalancerProvider,
  namespace: string,
  others: number,
): Finding | undefined {
  const most = provider.spec.tenants?.maxLoadBalancersPerNamespace;
  if (most === undefined || others < most) return undefined;
  return {
    reason: REASONS.quotaExceeded,
    message: `Namespace "${namespace}" has ${others} load balancers at LoadBalancerProvider "${provider.metadata.name}", and ${most} is its quota: delete one, or have the quota raised.`,
  };
}
