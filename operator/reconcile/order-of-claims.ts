import { keyOf } from '../../kube/resources.ts';
import { type Caches, serviceKeyOf } from './caches.ts';

/**
 * The keys of all Services, and of those that are gone and left LoadBalancers behind, in the order for a start: those
 * that hold claims before those that want new ones, and among these the oldest first.
 */
export function inOrderOfClaims(caches: Pick<Caches, 'services' | 'loadBalancers'>): string[] {
  const claimed = new Set(caches.loadBalancers.store.list().map(serviceKeyOf));
  const others = caches.services.store
    .list()
    .filter((service) => !claimed.has(keyOf(service)))
    .map((service) => ({ key: keyOf(service), since: service.metadata.creationTimestamp ?? '' }))
    .sort((a, b) => (a.since === b.since ? (a.key < b.key ? -1 : 1) : a.since < b.since ? -1 : 1));
  return [...claimed, ...others.map(({ key }) => key)];
}
