import type { AddressClaim, LoadBalancer } from '../../crds/load-balancer.ts';
import type { Service } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { Finding } from '../../providers/provider.ts';
import type { AddressHolding } from '../allocate/address-book.ts';
import { parseAddress } from '../allocate/address-ranges.ts';
import { buildAddressRequest } from '../allocate/address-request.ts';
import { allocateAddresses } from '../allocate/allocate-addresses.ts';
import { poolHolds } from '../allocate/compile-address-pools.ts';
import { refuseToShare } from '../allocate/share-address.ts';
import { ingressOf } from '../status/service-status.ts';
import { serviceKeyOf } from './caches.ts';
import type { ReconcileContext } from './context.ts';

export interface ClaimedAddresses {
  claims: AddressClaim[];
  /** Why what is asked can't be had; `claims` is what is held. */
  refused?: Finding;
  notes: Finding[];
  /** Addresses that it held before this decision. */
  before: ReadonlySet<string>;
  /** Held until now, and another LoadBalancer's by right, or nobody's to claim. */
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
  const before = new Set(held?.claims.map(({ address }) => address));
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
  return { claims: decision.claims, ...refused, notes: decision.findings, before, lost };
}

/**
 * Addresses of objects that were edited past us, while no operator ran or before anybody could see it: what another has
 * the better right to, and what never came from a pool.
 */
function findLost(context: ReconcileContext, owner: string): ReadonlySet<string> {
  const { claims, caches, compiled } = context;
  const lost = new Set<string>();
  const mine = caches.freshLoadBalancers.get(owner);
  const holding = claims.addresses.get(owner);
  if (mine === undefined || holding === undefined) return lost;
  for (const { address } of holding.claims) {
    const parsed = parseAddress(address);
    const isInPool = compiled.addressPools.some((pool) => parsed !== undefined && poolHolds(pool, parsed));
    if (!isInPool && !isLeaving(address, holding) && !isShown(context, mine, address)) lost.add(address);
    for (const other of claims.addresses.holdersOf(address)) {
      if (other.owner === owner || refuseToShare(address, holding, other) === undefined) continue;
      if (isLeaving(address, other)) continue;
      const theirs = caches.freshLoadBalancers.get(other.owner);
      if (theirs !== undefined && hasBetterRight(context, address, theirs, mine)) lost.add(address);
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

/** Who shows an address goes before who only claims it, so that a claim written by hand takes it from nobody. */
function hasBetterRight(
  context: ReconcileContext,
  address: string,
  theirs: LoadBalancer,
  mine: LoadBalancer,
): boolean {
  const theyShow = isShown(context, theirs, address);
  if (theyShow !== isShown(context, mine, address)) return theyShow;
  return isOlder(theirs, mine);
}

/** Statuses are written after the claim, and not by who edits a spec. */
function isShown({ caches }: ReconcileContext, loadBalancer: LoadBalancer, address: string): boolean {
  const service = caches.freshServices.get(serviceKeyOf(loadBalancer));
  const shown = [
    ...(service === undefined ? [] : ingressOf(service)),
    ...(loadBalancer.status?.ingress ?? []),
  ];
  return shown.some(({ ip }) => ip === address);
}

/** By creation, which has whole seconds; then by key, so that both sides decide alike. */
function isOlder(a: LoadBalancer, b: LoadBalancer): boolean {
  const left = `${a.metadata.creationTimestamp} ${keyOf(a)}`;
  const right = `${b.metadata.creationTimestamp} ${keyOf(b)}`;
  return left < right;
}
