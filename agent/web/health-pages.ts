import type { Node } from '../../kube/objects.ts';
import type { Page, Pages } from '../../kube/serve-pages.ts';
import type { HealthPage } from '../proxy-metrics/proxy-metrics.ts';

export interface HealthFacts {
  /** All lists are in, and the kernel holds what follows from them. */
  programmed: boolean;
  /** Since when a change waits to be applied, ms; undefined: none waits. */
  waitingMs: number | undefined;
  /** Load balancers may send traffic here, as far as the node goes. */
  eligible: boolean;
  /** RFC 3339, of the last time that all was applied. */
  lastUpdated: string | null;
}

/** As kube-proxy: twice its sync period. */
const LONGEST_WAIT_MS = 60_000;
/** Go's time of nothing. */
const NEVER = '0001-01-01T00:00:00Z';

/** Whether the kernel forwards as the cluster says, or will soon. */
export function isProxyHealthy({ programmed, waitingMs = 0 }: HealthFacts): boolean {
  return programmed && waitingMs < LONGEST_WAIT_MS;
}

/**
 * `/healthz` for load balancers (it also says whether the node should get traffic, KEP-3836) and `/livez` for the kubelet,
 * with the answers of kube-proxy's `proxy_health.go`. There `healthy` is about the proxy alone, and `lastUpdated` is now as
 * long as all is well. Both families are written in one transaction, so they are well or ill together.
 */
export function healthPages(
  facts: () => HealthFacts | Promise<HealthFacts>,
  now: () => Date,
  onAnswer: (page: HealthPage, status: number) => void,
): Pages {
  const answer = (page: HealthPage) => async (): Promise<Page> => {
    const known = await facts();
    const healthy = isProxyHealthy(known);
    const isWell = healthy && (page === 'livez' || known.eligible);
    const currentTime = now().toISOString();
    const lastUpdated = known.lastUpdated ?? NEVER;
    const family = { lastUpdated, healthy };
    const body = {
      lastUpdated: isWell ? currentTime : lastUpdated,
      currentTime,
      ...(page === 'healthz' ? { nodeEligible: known.eligible } : {}),
      healthy,
      ...(known.lastUpdated === null ? {} : { status: { IPv4: family, IPv6: family } }),
    };
    const status = isWell ? 200 : 503;
    onAnswer(page, status);
    return { status, contentType: 'application/json', body: JSON.stringify(body) };
  };
  return { '/healthz': answer('healthz'), '/livez': answer('livez') };
}

/** Set by the cluster autoscaler before it takes a node away. */
const LEAVING_TAINT = 'ToBeDeletedByClusterAutoscaler';

/** Whether load balancers may send traffic to this node: not once it is gone or about to go. */
export function isEligible(node: Node | undefined): boolean {
  if (node === undefined || node.metadata.deletionTimestamp !== undefined) return false;
  return !node.spec?.taints?.some(({ key }) => key === LEAVING_TAINT);
}
