import type { Node } from '../../kube/objects.ts';
import type { Page, Pages } from '../../kube/serve-pages.ts';

export interface HealthFacts {
  /** All lists are in, and the kernel holds what follows from them. */
  programmed: boolean;
  /** Since when a change waits to be applied, ms; undefined: none waits. */
  waitingMs: number | undefined;
  /** Why load balancers should send nothing here, though it works; null: they may. */
  ineligible: string | null;
  /** RFC 3339, of the last time that all was applied. */
  lastUpdated: string | null;
}

/** As kube-proxy: twice its sync period. */
const LONGEST_WAIT_MS = 60_000;

/**
 * `/healthz` for load balancers (also says whether the node should get traffic, KEP-3836), `/livez` for the kubelet, both
 * with kube-proxy's answer, `/metrics`.
 */
export function healthPages(facts: () => HealthFacts, metrics: () => Promise<Page>): Pages {
  const answer = (eligibilityCounts: boolean) => (): Page => {
    const { programmed, waitingMs, ineligible, lastUpdated } = facts();
    const healthy =
      programmed && (waitingMs ?? 0) <= LONGEST_WAIT_MS && (!eligibilityCounts || ineligible === null);
    const body = {
      lastUpdated,
      currentTime: new Date().toISOString(),
      nodeEligible: ineligible === null,
      healthy,
      ...(ineligible === null ? {} : { reason: ineligible }),
    };
    return {
      status: healthy ? 200 : 503,
      contentType: 'application/json',
      body: `${JSON.stringify(body)}\n`,
    };
  };
  return { '/healthz': answer(true), '/livez': answer(false), '/metrics': metrics };
}

/** Set by the cluster autoscaler before it takes a node away. */
const LEAVING_TAINT = 'ToBeDeletedByClusterAutoscaler';

/** Why load balancers should send nothing to this node, or null. */
export function decideIneligible(node: Node | undefined): string | null {
  if (node === undefined || node.metadata.deletionTimestamp !== undefined) return 'NodeGone';
  return node.spec?.taints?.some(({ key }) => key === LEAVING_TAINT) ? 'NodeLeaving' : null;
}
