import type { AddressClaim } from '../../crds/load-balancer.ts';
import type { IpFamily } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import type { AddressBook, AddressHolding } from './address-book.ts';
import { type Address, formatAddress, parseAddress } from './address-ranges.ts';
import type { AddressRequest } from './address-request.ts';
import { type CompiledAddressPool, poolHolds } from './compile-address-pools.ts';
import { explainNoAddress, whyPoolIsNotFor } from './explain-address-pools.ts';
import { refuseToShareWithAny } from './share-address.ts';

export type AddressDecision =
  /** `claims`: all that the owner is to hold, in the order of its families; `findings` hold nothing up. */
  | { kind: 'granted'; claims: AddressClaim[]; findings: Finding[] }
  /** Nothing changes: `claims` is what the owner holds already, and goes on holding. */
  | { kind: 'refused'; reason: string; message: string; claims: AddressClaim[]; findings: Finding[] };

type FamilyDecision =
  | { kind: 'claim'; claim: AddressClaim; finding?: Finding | undefined }
  /** `firm`: what was asked for can't be had, so that taking the other family alone would be a guess. */
  | { kind: 'none'; finding: Finding; firm: boolean };

/**
 * Decides which addresses a LoadBalancer gets. Deterministic: the lowest free address of the first pool that serves, so
 * that the same book gives the same answer, in whatever order it was filled. The caller puts granted claims into the
 * book in the same turn, before it asks for the next owner.
 *
 * What is held is kept, whatever became of its pool, until the Service itself asks for another address or pool, or for
 * a family less. When what it asks for can't be had, it keeps what it has.
 */
export function allocateAddresses(
  request: AddressRequest,
  pools: readonly CompiledAddressPool[],
  book: AddressBook,
): AddressDecision {
  const held = book.get(request.owner)?.claims ?? [];
  const refused = ({ reason, message }: Finding): AddressDecision => {
    return { kind: 'refused', reason, message, claims: [...held], findings: findOutsiders(held, pools) };
  };
  const asked = readAskedAddresses(request);
  if ('reason' in asked) return refused(asked);
  const unknown = request.pools.find((name) => !pools.some((pool) => pool.name === name));
  if (unknown !== undefined) {
    return refused({
      reason: 'AddressPoolNotFound',
      message: `There is no AddressPool "${unknown}": correct fairlead.dev/address-pool, or create it.`,
    });
  }

  const claims: AddressClaim[] = [];
  const findings: Finding[] = [];
  const missing: Finding[] = [];
  for (const family of request.families) {
    const before = held.find((claim) => claim.family === family);
    const decision = decideFamily(family, request, asked[family], before, pools, book);
    if (decision.kind === 'claim') {
      claims.push(decision.claim);
      if (decision.finding !== undefined) findings.push(decision.finding);
    } else if (decision.firm || before !== undefined || request.allFamilies) return refused(decision.finding);
    else missing.push(decision.finding);
  }
  const [firstMissing] = missing;
  if (claims.length === 0 && firstMissing !== undefined) return refused(firstMissing);
  findings.push(
    ...missing.map(({ message }) => ({ reason: 'AddressFamilyUnavailable', message })),
    ...findOutsiders(claims, pools),
  );
  return { kind: 'granted', claims, findings };
}

function decideFamily(
  family: IpFamily,
  request: AddressRequest,
  asked: Address | undefined,
  before: AddressClaim | undefined,
  pools: readonly CompiledAddressPool[],
  book: AddressBook,
): FamilyDecision {
  const kept = before === undefined ? undefined : keepClaim(before, request, asked, pools);
  if (kept !== undefined) return noteAlone(checkKept(kept, request, book), request, pools, book);
  return asked === undefined
    ? claimFromPools(family, request, pools, book)
    : claimAsked(asked, request, pools, book);
}

/** The claim as it is kept, under the pool that holds it now; undefined when the Service asks for something else. */
function keepClaim(
  claim: AddressClaim,
  request: AddressRequest,
  asked: Address | undefined,
  pools: readonly CompiledAddressPool[],
): AddressClaim | undefined {
  if (asked !== undefined && formatAddress(asked) !== claim.address) return undefined;
  const address = parseAddress(claim.address);
  const homes = pools.filter((pool) => address !== undefined && poolHolds(pool, address));
  const wanted =
    request.pools.length === 0 ? homes : homes.filter((pool) => request.pools.includes(pool.name));
  const home = wanted.find((pool) => pool.name === claim.pool) ?? wanted[0];
  if (home !== undefined) return { ...claim, pool: home.name };
  return request.pools.length === 0 || request.pools.includes(claim.pool) ? claim : undefined;
}

/** A kept address that is shared: a change of the Service may not break in on the others. */
function checkKept(claim: AddressClaim, request: AddressRequest, book: AddressBook): FamilyDecision {
  const others = othersAt(claim.address, request, book);
  const refusal = refuseToShareWithAny(claim.address, request, others);
  if (refusal === undefined) return { kind: 'claim', claim };
  const stored = book.get(request.owner);
  const clashedBefore =
    stored !== undefined && refuseToShareWithAny(claim.address, stored, others) !== undefined;
  const names = others.map((other) => `${other.namespace}/${other.service}`).join(', ');
  if (!clashedBefore) {
    const finding = stored?.sharedKey === request.sharedKey ? refusal : explainLeaving(claim, refusal, names);
    return { kind: 'none', finding, firm: true };
  }
  return {
    kind: 'claim',
    claim,
    finding: {
      reason: 'AddressClaimedTwice',
      message: `${claim.address} is also claimed by ${names}, and the two may not share it: ask for another address for one of them with fairlead.dev/address.`,
    },
  };
}

/** Only the key was taken away or changed, and the address would be shared no more: the way out is another address. */
function explainLeaving({ address }: AddressClaim, { reason }: Finding, names: string): Finding {
  return {
    reason,
    message: `${address} is shared with ${names}, and goes on being shared until this Service asks for another address: name a free one in fairlead.dev/address along with the changed fairlead.dev/shared-address.`,
  };
}

/** Says of a kept address, as when it was claimed, why it isn't the one that the others of its key share. */
function noteAlone(
  decision: FamilyDecision,
  request: AddressRequest,
  pools: readonly CompiledAddressPool[],
  book: AddressBook,
): FamilyDecision {
  if (decision.kind !== 'claim' || decision.finding !== undefined || request.sharedKey === undefined)
    return decision;
  const { address, family } = decision.claim;
  if (othersAt(address, request, book).length > 0) return decision;
  const { finding } = joinShared(family, request, poolsServing(request, pools), book, address);
  return { ...decision, finding };
}

function claimAsked(
  asked: Address,
  request: AddressRequest,
  pools: readonly CompiledAddressPool[],
  book: AddressBook,
): FamilyDecision {
  const address = formatAddress(asked);
  const refuse = (finding: Finding): FamilyDecision => ({ kind: 'none', finding, firm: true });
  const homes = namedPools(request, pools).filter((pool) => poolHolds(pool, asked));
  if (homes.length === 0) {
    const where = request.pools.length > 0 ? `pool ${request.pools.join(', ')}` : 'any AddressPool';
    return refuse({
      reason: 'AddressNotInPool',
      message: `${address} is not in ${where}: ask for an address that is, or add it to a pool.`,
    });
  }
  const refusals: string[] = [];
  for (const pool of homes) {
    const why = whyPoolIsNotFor(pool, request, { asked: true });
    if (why === undefined) {
      const taken = refuseToShareWithAny(address, request, othersAt(address, request, book));
      return taken === undefined
        ? { kind: 'claim', claim: { address, family: asked.family, pool: pool.name } }
        : refuse(taken);
    }
    refusals.push(`pool "${pool.name}", which ${why}`);
  }
  return refuse({
    reason: 'AddressNotAllowed',
    message: `${address} is in ${refusals.join('; and in ')}: ask for another address, or have the pool changed.`,
  });
}

function claimFromPools(
  family: IpFamily,
  request: AddressRequest,
  pools: readonly CompiledAddressPool[],
  book: AddressBook,
): FamilyDecision {
  const serving = poolsServing(request, pools);
  const shared = joinShared(family, request, serving, book);
  if (shared.claim !== undefined) return { kind: 'claim', claim: shared.claim };
  for (const pool of serving) {
    for (const range of pool.ranges[family]) {
      const address = book.firstFree(range);
      if (address !== undefined) {
        return { kind: 'claim', claim: { address, family, pool: pool.name }, finding: shared.finding };
      }
    }
  }
  return {
    kind: 'none',
    finding: explainNoAddress(family, request, namedPools(request, pools), book),
    firm: false,
  };
}

/** The lowest address that Services under the same key hold and that has the ports free. */
function joinShared(
  family: IpFamily,
  request: AddressRequest,
  serving: readonly CompiledAddressPool[],
  book: AddressBook,
  except?: string,
): { claim?: AddressClaim; finding?: Finding | undefined } {
  let finding: Finding | undefined;
  const candidates = book
    .addressesSharedBy(request)
    .flatMap((text) => parseAddress(text) ?? [])
    .filter((address) => address.family === family && formatAddress(address) !== except)
    .sort((a, b) => (a.value < b.value ? -1 : 1));
  for (const candidate of candidates) {
    const pool = serving.find((pool) => poolHolds(pool, candidate));
    if (pool === undefined) continue;
    const address = formatAddress(candidate);
    const refusal = refuseToShareWithAny(address, request, othersAt(address, request, book));
    if (refusal === undefined) return { claim: { address, family, pool: pool.name } };
    finding ??= {
      reason: refusal.reason,
      message: `${refusal.message} Until then this Service has an address of its own.`,
    };
  }
  return { finding };
}

function readAskedAddresses(request: AddressRequest): Partial<Record<IpFamily, Address>> | Finding {
  const asked: Partial<Record<IpFamily, Address>> = {};
  for (const text of request.addresses) {
    const address = parseAddress(text);
    if (address === undefined) {
      return {
        reason: 'InvalidAddress',
        message: `"${text}" is not an IP address: correct fairlead.dev/address or spec.loadBalancerIP.`,
      };
    }
    if (asked[address.family] !== undefined) {
      return {
        reason: 'InvalidAddress',
        message: `Two ${address.family} addresses are asked for: a Service has one of each family at most.`,
      };
    }
    if (!request.families.includes(address.family)) {
      return {
        reason: 'AddressFamilyNotWanted',
        message: `${text} is an ${address.family} address, and the Service's spec.ipFamilies is ${request.families.join(', ')}: change one of the two.`,
      };
    }
    asked[address.family] = address;
  }
  return asked;
}

function findOutsiders(claims: readonly AddressClaim[], pools: readonly CompiledAddressPool[]): Finding[] {
  return claims.flatMap(({ address, pool }) => {
    const parsed = parseAddress(address);
    if (parsed !== undefined && pools.some((candidate) => poolHolds(candidate, parsed))) return [];
    return {
      reason: 'AddressOutsidePool',
      message: `${address} came from pool "${pool}", and no pool holds it any more. The Service keeps it: add it to a pool again, or ask for another with fairlead.dev/address.`,
    };
  });
}

function poolsServing(
  request: AddressRequest,
  pools: readonly CompiledAddressPool[],
): readonly CompiledAddressPool[] {
  const asked = request.pools.length > 0;
  return namedPools(request, pools).filter((pool) => whyPoolIsNotFor(pool, request, { asked }) === undefined);
}

function namedPools(
  request: AddressRequest,
  pools: readonly CompiledAddressPool[],
): readonly CompiledAddressPool[] {
  if (request.pools.length === 0) return pools;
  return request.pools.flatMap((name) => pools.find((pool) => pool.name === name) ?? []);
}

function othersAt(address: string, request: AddressRequest, book: AddressBook): AddressHolding[] {
  return book.holdersOf(address).filter((holding) => holding.owner !== request.owner);
}
