import type { AddressPool } from '../../crds/address-pool.ts';
import type { IpFamily, LabelSelector } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import {
  type Address,
  type AddressRange,
  countAddresses,
  mergeRanges,
  parseRange,
  rangeHolds,
} from './address-ranges.ts';

/** An AddressPool read once: ranges as numbers, defaults filled in. */
export interface CompiledAddressPool {
  name: string;
  /** By family, sorted, without overlaps. */
  ranges: Record<IpFamily, AddressRange[]>;
  total: Record<IpFamily, bigint>;
  providers: readonly string[] | undefined;
  namespaceSelector: LabelSelector | undefined;
  serviceSelector: LabelSelector | undefined;
  priority: number;
  autoAssign: boolean;
  disabled: boolean;
  /** `InvalidRange`: texts that were left out, for the pool's own condition. */
  findings: Finding[];
}

/**
 * Reads the pools and puts them in the order in which they are tried: higher priority first, then by name. Every address
 * of a CIDR is given out, its first and last too: an address that is announced is a host route, for which the subnet's
 * network and broadcast addresses mean nothing. Who has routers or clients that disagree writes a range without them.
 */
export function compileAddressPools(pools: readonly AddressPool[]): CompiledAddressPool[] {
  return pools.map(compileAddressPool).sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
}

export function poolHolds(pool: CompiledAddressPool, address: Address): boolean {
  return pool.ranges[address.family].some((range) => rangeHolds(range, address));
}

function compileAddressPool({ metadata, spec }: AddressPool): CompiledAddressPool {
  const parsed = spec.addresses.map(parseRange);
  const all = parsed.flatMap((result) => (result.kind === 'range' ? [result.range] : []));
  const ranges = { IPv4: mergeRanges(all, 'IPv4'), IPv6: mergeRanges(all, 'IPv6') };
  return {
    name: metadata.name,
    ranges,
    total: { IPv4: countAddresses(ranges.IPv4), IPv6: countAddresses(ranges.IPv6) },
    providers: spec.providers,
    namespaceSelector: spec.namespaceSelector,
    serviceSelector: spec.serviceSelector,
    priority: spec.priority ?? 0,
    autoAssign: spec.autoAssign ?? true,
    disabled: spec.disabled ?? false,
    findings: parsed.flatMap((result) =>
      result.kind === 'invalid' ? [{ reason: 'InvalidRange', message: `${result.message}.` }] : [],
    ),
  };
}
