import type { Id } from './contract.ts';

/** The same load balancer of the same Service. */
export function isSameId(a: Id, b: Id): boolean {
  return isSameKey(a, b) && a.serviceUid === b.serviceUid;
}

/** The same load balancer, whichever Service of that name it is of. */
export function isSameKey(a: Id, b: Id): boolean {
  return a.clusterId === b.clusterId && a.namespace === b.namespace && a.name === b.name;
}
