import type { AddressClaim, LoadBalancer } from '../../crds/load-balancer.ts';
import type { Service } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { Finding } from '../../providers/provider.ts';
import type { AddressHolding } from '../allocate/address-book.ts';
import { buildAddressRequest } from '../allocate/address-request.ts';
import { allocateAddresses } from '../allocate/allocate-addresses.ts';
import { refuseToShare } from '../allocate/share-address.ts';
import type { ReconcileContext } from './context.ts';

export interface ClaimedAddresses {
  claims: AddressClaim[];
  /** Why what is asked can't be had; `claims` is what is held. */
  refused?: Finding;
  notes: Finding[];
  /** Held until now, and another LoadBalancer's by right. */
  lost: ReadonlySet<string>;
}

/**
 * Decides the addresses of a load balancer and reserves them, without an await: whoever decides next sees them taken.
 * The caller settles the reservation when its write was answered.
 */
export function claimAddresses(
  context: ReconcileContext,
  input: {
    owner: string;
    provider: string;
    service: Service;
    namespaceLabels: Readonly<Record<string, string>> | undefined;
  },
): ClaimedAddresses {
  const { claims: book, compiled } = context;
  const { owner, service, provider, namespaceLabels } = input;
  const lost = findLost(context, owner);
  if (lost.size > 0) book.forfeit(owner, lost);
  const request = buildAddressRequest(service, { owner, provider, namespaceLabels });
  const decision = allocateAddresses(request, compiled.addressPools, book.addresses);
  const held = book.addresses.get(owner);
  const refused =
    decision.kind === 'refused' ? { refused: { reason: decision.reason, message: decision.message } } : {};
  book.reserveAddresses({
    owner,
    namespace: request.namespace,
    service: request.service,
    provider,
    // What was refused changes nothing, so it must not reserve anything either.
    sharedKey: decision.kind === 'granted' ? request.sharedKey : held?.sharedKey,
    frontends: decision.kind === 'granted' ? request.frontends : (held?.frontends ?? []),
    claims: decision.claims,
  });
  return { claims: decision.claims, ...refused, notes: decision.findings, lost };
}

/** Addresses that an older LoadBalancer holds as well, where the two may not share: objects edited past us. */
function findLost({ claims, caches }: ReconcileContext, owner: string): ReadonlySet<string> {
  const lost = new Set<string>();
  const mine = caches.freshLoadBalancers.get(owner);
  const holding = claims.addresses.get(owner);
  if (mine === undefined || holding === undefined) return lost;
  for (const { address } of holding.claims) {
    for (const other of claims.addresses.holdersOf(address)) {
      if (other.owner === owner || refuseToShare(address, holding, other) === undefined) continue;
      if (isLeaving(address, other)) continue;
      const theirs = caches.freshLoadBalancers.get(other.owner);
      if (theirs !== undefined && isOlder(theirs, mine)) lost.add(address);
    }
  }
  return lost;
}

/**
 * Whether an address is claimed only until its successor is settled: the successor of its family stands before it. The
 * holding has the key and ports of the successor by then, so that they tell nothing of who may share what leaves.
 */
function isLeaving(address: string, { claims }: AddressHolding): boolean {
  const family = claims.find((claim) => claim.address === address)?.family;
  return claims.find((claim) => claim.family === family)?.address !== address;
}

/** By creation, which has whole seconds; then by key, so that both sides decide alike. */
function isOlder(a: LoadBalancer, b: LoadBalancer): boolean {
  const left = `${a.metadata.creationTimestamp} ${keyOf(a)}`;
  const right = `${b.metadata.creationTimestamp} ${keyOf(b)}`;
  return left < right;
}
