import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { ClassedError } from '../../kube/errors.ts';
import type { Service } from '../../kube/objects.ts';
import type { Change, LoadBalancerId, Provider, ProviderStatus } from '../../providers/provider.ts';
import type { ReconcileContext } from './context.ts';
import { targetNodes } from './target-nodes.ts';

/** What the provider has now, or why it couldn't be brought to that. */
export type Synced =
  | { kind: 'synced'; addressesFromPools: boolean; status: ProviderStatus }
  | { kind: 'failed'; failure: unknown };

/**
 * Brings what the provider has to what the LoadBalancer says: build, observe, diff, apply. Throws only what
 * `beforeExternal` throws, and whatever comes of `signal`.
 */
export async function syncProvider(
  context: ReconcileContext,
  loadBalancer: LoadBalancer,
  service: Service,
  beforeExternal: () => Promise<void>,
  signal: AbortSignal,
): Promise<Synced> {
  const provider = context.providers.get(loadBalancer.spec.provider.type);
  if (provider === undefined) return { kind: 'failed', failure: unknownType(loadBalancer) };
  const id = idOf(context, loadBalancer, service.metadata.uid ?? '');
  if (provider.external) await beforeExternal();
  const nodes = provider.external ? targetNodes(context.caches.nodes.store.list(), loadBalancer.spec) : [];
  try {
    const model = provider.build({ id, spec: loadBalancer.spec, nodes });
    let observed = await provider.observe(id);
    const changes = provider.diff(model, observed);
    await applyAll(context, provider, id, changes, signal);
    if (changes.length > 0) observed = await provider.observe(id);
    const status = provider.status(model, observed);
    return { kind: 'synced', addressesFromPools: provider.addressesFromPools, status };
  } catch (failure) {
    if (signal.aborted) throw failure;
    return { kind: 'failed', failure };
  }
}

async function applyAll(
  context: ReconcileContext,
  provider: Provider,
  { name, namespace }: LoadBalancerId,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<void> {
  for (const change of changes) {
    context.log.info('ProviderChange', { loadBalancer: name, namespace, change: change.summary });
    await provider.apply(change, signal);
  }
}

/**
 * Takes away what the provider has of a load balancer, and looks again until it has nothing of it. Answers whether it's
 * gone; deletions that take their time are looked at again later. Throws the provider's classed errors.
 */
export async function removeFromProvider(
  context: ReconcileContext,
  loadBalancer: LoadBalancer,
  signal: AbortSignal,
): Promise<boolean> {
  const provider = context.providers.get(loadBalancer.spec.provider.type);
  if (provider === undefined) throw unknownType(loadBalancer);
  if (!provider.external) return true;
  const id = idOf(context, loadBalancer, loadBalancer.spec.service.uid);
  const changes = provider.diff(undefined, await provider.observe(id));
  await applyAll(context, provider, id, changes, signal);
  return changes.length === 0 || provider.diff(undefined, await provider.observe(id)).length === 0;
}

function unknownType({ spec }: LoadBalancer): ClassedError {
  const message = `This version of Fairlead has no provider of type "${spec.provider.type}".`;
  return new ClassedError(message, { class: 'Rejected', reason: 'UnknownProviderType' });
}

function idOf(
  { clusterId }: ReconcileContext,
  { metadata }: LoadBalancer,
  serviceUid: string,
): LoadBalancerId {
  return { clusterId, namespace: metadata.namespace ?? '', name: metadata.name, serviceUid };
}
