import type { AddressClaim } from '../../crds/load-balancer.ts';
import type { IpFamily, Protocol } from '../../kube/objects.ts';
import { type AddressRange, formatAddress, parseAddress } from './address-ranges.ts';
import { IntervalSet } from './interval-set.ts';

/** What one LoadBalancer holds: its addresses, and what decides with whom it may share them. */
export interface AddressHolding {
  /** Key of the LoadBalancer: `namespace/name`. */
  owner: string;
  namespace: string;
  /** Name of the Service, for messages. */
  service: string;
  provider: string;
  /** `fairlead.dev/shared-address`. */
  sharedKey?: string | undefined;
  frontends: readonly { protocol: Protocol; port: number }[];
  claims: readonly AddressClaim[];
}

/**
 * Every address claim of the cluster, by address and by owner. It is an index, not a memory: built from the
 * LoadBalancers in any order it is the same, and it never refuses a claim that exists.
 */
export class AddressBook {
  readonly #holdings = new Map<string, AddressHolding>();
  /** Address in its one text -> owners. */
  readonly #holders = new Map<string, Set<string>>();
  readonly #shared = new Map<string, Set<string>>();
  readonly #used: Record<IpFamily, IntervalSet> = { IPv4: new IntervalSet(), IPv6: new IntervalSet() };

  /** Takes in all that an owner holds, in the place of what it held before. Texts that aren't addresses are left out. */
  set(holding: AddressHolding): void {
    this.release(holding.owner);
    const claims = holding.claims.flatMap((claim) => {
      const address = parseAddress(claim.address);
      return address === undefined
        ? []
        : [{ ...claim, address: formatAddress(address), family: address.family, value: address.value }];
    });
    this.#holdings.set(holding.owner, {
      ...holding,
      claims: claims.map(({ address, family, pool }) => ({ address, family, pool })),
    });
    for (const { address, family, value } of claims) {
      addTo(this.#holders, address, holding.owner);
      this.#used[family].add(value);
      const group = sharingGroup(holding);
      if (group !== undefined) addTo(this.#shared, group, address);
    }
  }

  /** Lets go of all that an owner holds; an address is free once its last holder let it go. */
  release(owner: string): readonly AddressClaim[] {
    const holding = this.#holdings.get(owner);
    if (holding === undefined) return [];
    this.#holdings.delete(owner);
    for (const { address } of holding.claims) {
      removeFrom(this.#holders, address, owner);
      const parsed = parseAddress(address);
      if (parsed !== undefined && !this.#holders.has(address)) this.#used[parsed.family].delete(parsed.value);
      const group = sharingGroup(holding);
      if (group !== undefined && !this.#hasGroup(address, group)) removeFrom(this.#shared, group, address);
    }
    return holding.claims;
  }

  get(owner: string): AddressHolding | undefined {
    return this.#holdings.get(owner);
  }

  get owners(): string[] {
    return [...this.#holdings.keys()];
  }

  /** Who holds an address, given in its one text, in order of owner. */
  holdersOf(address: string): AddressHolding[] {
    return [...(this.#holders.get(address) ?? [])].sort().flatMap((owner) => this.#holdings.get(owner) ?? []);
  }

  /** Addresses that Services of this namespace hold at this provider under this key. */
  addressesSharedBy(group: {
    namespace: string;
    provider: string;
    sharedKey?: string | undefined;
  }): string[] {
    const key = sharingGroup(group);
    return key === undefined ? [] : [...(this.#shared.get(key) ?? [])];
  }

  /** The lowest address of a range that nobody holds. */
  firstFree(range: AddressRange): string | undefined {
    const value = this.#used[range.family].firstMissing(range.first);
    return value <= range.last ? formatAddress({ family: range.family, value }) : undefined;
  }

  /** How many addresses of ranges that don't overlap are held. */
  countUsed(ranges: readonly AddressRange[]): bigint {
    return ranges.reduce(
      (sum, range) => sum + this.#used[range.family].countBetween(range.first, range.last),
      0n,
    );
  }

  #hasGroup(address: string, group: string): boolean {
    for (const owner of this.#holders.get(address) ?? []) {
      const holding = this.#holdings.get(owner);
      if (holding !== undefined && sharingGroup(holding) === group) return true;
    }
    return false;
  }
}

function sharingGroup(of: {
  namespace: string;
  provider: string;
  sharedKey?: string | undefined;
}): string | undefined {
  return of.sharedKey === undefined ? undefined : `${of.namespace}/${of.provider}/${of.sharedKey}`;
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}

function removeFrom(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  values?.delete(value);
  if (values?.size === 0) map.delete(key);
}
