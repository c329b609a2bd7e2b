import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { canonicalAddress } from './choose-interface.ts';
import type { VirtualAddress } from './choose-owner.ts';

/**
 * The addresses that the nodes announce: those claimed by LoadBalancers of type announce that are not being deleted.
 * Where LoadBalancers share an address, where and by whom it is announced is said by the first of them by name.
 */
export function collectAddresses(loadBalancers: readonly LoadBalancer[]): Map<string, VirtualAddress> {
  const announced = loadBalancers
    .filter((object) => object.spec.provider.type === 'announce')
    .filter((object) => object.metadata.deletionTimestamp === undefined)
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  const collected = new Map<string, VirtualAddress & { localServices: string[]; loadBalancers: string[] }>();
  for (const object of announced) {
    for (const claim of object.spec.addresses ?? []) {
      const address = canonicalAddress(claim.address);
      if (address === undefined) continue;
      const entry = collected.get(address) ?? {
        address,
        interfaces: object.spec.announce?.interfaces,
        nodeSelector: object.spec.announce?.nodeSelector,
        localServices: [],
        loadBalancers: [],
      };
      entry.loadBalancers.push(keyOf(object));
      if (object.spec.externalTrafficPolicy === 'Local') {
        entry.localServices.push(`${object.metadata.namespace ?? ''}/${object.spec.service.name}`);
      }
      collected.set(address, entry);
    }
  }
  return collected;
}

function keyOf(object: LoadBalancer): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
