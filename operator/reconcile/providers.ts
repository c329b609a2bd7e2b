import type { LoadBalancerProvider, LoadBalancerProviderStatus } from '../../crds/load-balancer-provider.ts';
import { setCondition } from '../../kube/conditions.ts';
import type { Condition } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import { providerTypeOf } from '../../providers/registry.ts';
import { REASONS } from '../status/reasons.ts';
import type { ReconcileContext } from './context.ts';

/** Whether a provider's configuration is accepted, whether it can serve, and how many load balancers it has. */
export function buildProviderStatus(
  context: ReconcileContext,
  provider: LoadBalancerProvider,
  now: string,
): LoadBalancerProviderStatus {
  const { name, generation } = provider.metadata;
  const type = providerTypeOf(provider.spec);
  const [wrong] = context.compiled.providers.get(name)?.findings ?? [];
  const notReady = wrong ?? findAmbiguity(context, provider) ?? findUnreadiness(context, provider);
  const at = generation === undefined ? {} : { observedGeneration: generation };
  const orphans = context.orphans.describe(name);
  const own = (provider.status?.conditions ?? []).filter(
    ({ type }) => type === 'Accepted' || type === 'Ready' || (type === 'Orphans' && orphans !== undefined),
  );
  const accepted = setCondition(
    own,
    {
      type: 'Accepted',
      status: wrong === undefined ? 'True' : 'False',
      ...(wrong ?? { reason: REASONS.accepted, message: 'The configuration is understood.' }),
      ...at,
    },
    now,
  );
  const conditions = setCondition(
    accepted,
    {
      type: 'Ready',
      status: notReady === undefined ? 'True' : 'False',
      ...(notReady ?? { reason: REASONS.ready, message: 'It can serve.' }),
      ...at,
    },
    now,
  );
  return {
    ...at,
    ...(type === undefined ? {} : { type }),
    loadBalancers: context.caches.loadBalancers.store.byIndex('provider', name).length,
    conditions: withOrphans(conditions, orphans, at, now),
  };
}

/** Said only where there are any. */
function withOrphans(
  conditions: Condition[],
  orphans: Finding | undefined,
  at: { observedGeneration?: number },
  now: string,
): Condition[] {
  if (orphans === undefined) return conditions;
  return setCondition(conditions, { type: 'Orphans', status: 'True', ...orphans, ...at }, now);
}

function findAmbiguity(
  { compiled }: ReconcileContext,
  { metadata, spec }: LoadBalancerProvider,
): Finding | undefined {
  if (spec.default !== true) return undefined;
  const others = [...compiled.providers.values()].filter(
    ({ object }) => object.spec.default === true && object.metadata.name !== metadata.name,
  );
  if (others.length === 0) return undefined;
  const names = others.map(({ object }) => `"${object.metadata.name}"`).join(', ');
  return {
    reason: REASONS.ambiguousDefault,
    message: `${names} is a default as well: leave "default: true" on one.`,
  };
}

/** The same words as on the load balancers that it holds up. */
function findUnreadiness(
  { providers }: ReconcileContext,
  { spec }: LoadBalancerProvider,
): Finding | undefined {
  const type = providerTypeOf(spec);
  const provider = type === undefined ? undefined : providers.get(type);
  return provider?.readiness?.(spec);
}
