import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { ClassedError } from '../../kube/errors.ts';
import type { Service } from '../../kube/objects.ts';
import type { LoadBalancerId, Provider, ProviderStatus } from '../../providers/provider.ts';
import type { ReconcileContext } from './context.ts';
import { targetNodes } from './target-nodes.ts';

/**
 * Brings what the provider has to what the LoadBalancer says: build, observe, diff, apply. Throws the provider's classed
 * errors.
 */
export async function syncProvider(
  context: ReconcileContext,
  loadBalancer: LoadBalancer,
  service: Service,
  beforeExternal: () => Promise<void>,
  signal: AbortSignal,
): Promise<{ addressesFromPools: boolean; status: ProviderStatus }> {
  const provider = providerOf(context, loadBalancer);
  const id = idOf(context, loadBalancer, service.metadata.uid ?? '');
  if (provider.external) await beforeExternal();
  const nodes = provider.external ? targetNodes(context.caches.nodes.store.list(), loadBalancer.spec) : [];
  const model = provider.build({ id, spec: loadBalancer.spec, nodes });
  let observed = await provider.observe(id);
  const changes = provider.diff(model, observed);
  for (const change of changes) {
    context.log.info('ProviderChange', {
      loadBalancer: id.name,
      namespace: id.namespace,
      change: change.summary,
    });
    await provider.apply(change, signal);
  }
  if (changes.length > 0) observed = await provider.observe(id);
  return { addressesFromPools: provider.addressesFromPools, status: provider.status(model, observed) };
}

/**
 * Takes away what the provider has of a load balancer, and looks again until it has nothing of it. Answers whether it's
 * gone; deletions that take their time are looked at again later.
 */
export async function removeFromProvider(
  context: ReconcileContext,
  loadBalancer: LoadBalancer,
  signal: AbortSignal,
): Promise<boolean> {
  const provider = providerOf(context, loadBalancer);
  if (!provider.external) return true;
  const id = idOf(context, loadBalancer, loadBalancer.spec.service.uid);
  const changes = provider.diff(undefined, await provider.observe(id));
  for (const change of changes) {
    context.log.info('ProviderChange', {
      loadBalancer: id.name,
      namespace: id.namespace,
      change: change.summary,
    });
    await provider.apply(change, signal);
  }
  return changes.length === 0 || provider.diff(undefined, await provider.observe(id)).length === 0;
}

function providerOf(context: ReconcileContext, { spec }: LoadBalancer): Provider {
  const provider = context.providers.get(spec.provider.type);
  if (provider !== undefined) return provider;
  const message = `This version of Fairlead has no provider of type "${spec.provider.type}".`;
  throw new ClassedError(message, { class: 'Rejected', reason: 'UnknownProviderType' });
}

function idOf(
  { clusterId }: ReconcileContext,
  { metadata }: LoadBalancer,
  serviceUid: string,
): LoadBalancerId {
  return { clusterId, namespace: metadata.namespace ?? '', name: metadata.name, serviceUid };
}
