import type { AddressPoolSpec } from '../../../crds/address-pool.ts';
import type { PortPoolSpec } from '../../../crds/port-pool.ts';
import { AddressBook } from '../../../operator/allocate/address-book.ts';
import type { AddressRequest } from '../../../operator/allocate/address-request.ts';
import { type AddressDecision, allocateAddresses } from '../../../operator/allocate/allocate-addresses.ts';
import { compileAddressPools } from '../../../operator/allocate/compile-address-pools.ts';
import { compilePortPools } from '../../../operator/allocate/compile-port-pools.ts';
import type { PortRequest } from '../../../operator/allocate/port-request.ts';

export const NODE_PORT_RANGE = { first: 30000, last: 32767 };

export function addressPool(name: string, addresses: string[], spec: Partial<AddressPoolSpec> = {}) {
  return {
    metadata: { name },
    spec: { addresses, priority: 0, autoAssign: true, disabled: false, ...spec },
  };
}

export function addressPools(...pools: ReturnType<typeof addressPool>[]) {
  return compileAddressPools(pools);
}

export function portPool(name: string, spec: Partial<PortPoolSpec>) {
  return { metadata: { name }, spec: { priority: 0, autoAssign: true, disabled: false, ...spec } };
}

export function portPools(...pools: ReturnType<typeof portPool>[]) {
  return compilePortPools(pools, NODE_PORT_RANGE);
}

/** A request of Service `namespace/service` at provider `p`, with `changes` over the plainest one. */
export function addressRequest(key: string, changes: Partial<AddressRequest> = {}): AddressRequest {
  const [namespace = '', service = ''] = key.split('/');
  const provider = changes.provider ?? 'p';
  return {
    owner: `${namespace}/${service}.${provider}`,
    namespace,
    service,
    provider,
    namespaceLabels: {},
    serviceLabels: {},
    families: ['IPv4'],
    allFamilies: false,
    addresses: [],
    pools: [],
    frontends: [{ protocol: 'TCP', port: 80 }],
    ...changes,
  };
}

export function portRequest(key: string, changes: Partial<PortRequest> = {}): PortRequest {
  const [namespace = ''] = key.split('/');
  return {
    kind: 'forwardingPort',
    owner: key,
    namespace,
    namespaceLabels: {},
    pools: [],
    ports: [{ protocol: 'TCP', port: 80 }],
    ...changes,
  };
}

/** Decides and takes what was granted into the book, as the operator does. */
export function claim(
  book: AddressBook,
  pools: ReturnType<typeof addressPools>,
  request: AddressRequest,
): AddressDecision {
  const decision = allocateAddresses(request, pools, book);
  if (decision.kind === 'granted') book.set({ ...request, claims: decision.claims });
  return decision;
}

/** A book that Services `a/s0`, `a/s1`, ... filled in turn, each with one IPv4 address. */
export function filledBook(pools: ReturnType<typeof addressPools>, count: number): AddressBook {
  const book = new AddressBook();
  for (let index = 0; index < count; index++) claim(book, pools, addressRequest(`a/s${index}`));
  return book;
}

export function addressesOf(decision: AddressDecision): string[] {
  return decision.claims.map((one) => one.address);
}
