import type { Node } from '../kube/objects.ts';
import { AddressRanges } from './address-ranges.ts';
import { type Address, canonicalAddress, type Family } from './endpoints/canonical-address.ts';
import type { Member } from './nftables/model.ts';

/** Loopback (RFC 1122, RFC 4291) and link-local. */
const NOT_OF_THE_NODE = /^(127\.|::1$|fe80:)/;

/**
 * Where node ports answer. `primary`: the Node object's first InternalIP of each family, else its first ExternalIP. CIDRs:
 * local addresses within them, also of `lo`; of a family that no CIDR is of, all. Never loopback (as kube-proxy's nftables mode).
 */
export function collectNodePortAddresses(
  choice: 'primary' | readonly string[],
  node: Node | undefined,
  local: readonly string[],
): Member[] {
  const addresses = choice === 'primary' ? primaryAddresses(node) : addressesWithin(choice, local);
  return addresses.map(({ family, text }) => ({ family, place: 'nodeport-ips', key: text }));
}

/** The Node object's first InternalIP of each family, else its first ExternalIP. */
export function primaryAddresses(node: Node | undefined): Address[] {
  const found = new Map<Family, Address>();
  for (const type of ['InternalIP', 'ExternalIP']) {
    for (const { address } of (node?.status?.addresses ?? []).filter((each) => each.type === type)) {
      const canonical = canonicalAddress(address);
      if (canonical !== null && !found.has(canonical.family)) found.set(canonical.family, canonical);
    }
  }
  return [...found.values()];
}

function addressesWithin(cidrs: readonly string[], local: readonly string[]): Address[] {
  const wanted = new AddressRanges(cidrs);
  const found = new Map<string, Address>();
  for (const address of local) {
    const canonical = canonicalAddress(address);
    if (canonical === null || NOT_OF_THE_NODE.test(canonical.text)) continue;
    const { text } = canonical;
    if (wanted.hasFamilyOf(text) && !wanted.contains(text)) continue;
    found.set(text, canonical);
  }
  return [...found.values()];
}
