import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { Finding } from '../../providers/provider.ts';
import { isBeingDeleted } from '../plan/names.ts';
import { describeFailure } from '../status/describe-refusal.ts';
import { REASONS } from '../status/reasons.ts';
import type { ReconcileContext } from './context.ts';
import { syncProvider } from './sync-provider.ts';

/** How load balancers stand of which nothing new is decided. */
export interface KeptUp {
  findings: Finding[];
  /** What providers said. */
  failures: unknown[];
}

/**
 * Carries out what was decided before, for load balancers of which nothing new may be decided: they serve, so they have to
 * follow nodes and pods that come and go. Where the provider itself can't be asked, they stay as they are.
 */
export async function keepUp(
  context: ReconcileContext,
  loadBalancers: readonly LoadBalancer[],
  signal: AbortSignal,
): Promise<KeptUp> {
  const kept: KeptUp = { findings: [], failures: [] };
  for (const loadBalancer of loadBalancers) {
    const { name, type } = loadBalancer.spec.provider;
    const known = context.compiled.providers.get(name);
    if (known === undefined || known.findings.length > 0 || isBeingDeleted(loadBalancer)) continue;
    if (context.providers.get(type)?.external !== true) continue;
    if (loadBalancer.spec.targets.mode === 'Pod') await context.caches.targets.need(signal);
    const synced = await syncProvider(context, {
      loadBalancer,
      provider: known.object,
      // It is there: so is the finalizer.
      beforeExternal: async () => {},
      signal,
    });
    if (synced.kind === 'synced') continue;
    const why = describeFailure(synced.failure);
    const message = `Load balancer ${loadBalancer.metadata.name} can't be kept up at provider "${name}": ${why}`;
    kept.findings.push({ reason: REASONS.syncFailed, message });
    kept.failures.push(synced.failure);
  }
  return kept;
}
