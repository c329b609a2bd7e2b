import type { NetworkInterfaceInfo } from 'node:os';
import type { Node } from '../kube/objects.ts';
import { AddressRanges } from './address-ranges.ts';
import { type Address, canonicalAddress, type Family } from './endpoints/canonical-address.ts';
import type { Member } from './nftables/model.ts';

/**
 * Where node ports answer. `primary`: the Node object's first InternalIP of each family, else its first ExternalIP. CIDRs:
 * local addresses within them; of a family that no CIDR is of, all. Never loopback (as kube-proxy's nftables mode).
 */
export function collectNodePortAddresses(
  choice: 'primary' | readonly string[],
  node: Node | undefined,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
): Member[] {
  const addresses = choice === 'primary' ? primaryAddresses(node) : addressesWithin(choice, interfaces);
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

function addressesWithin(
  cidrs: readonly string[],
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
): Address[] {
  const wanted = new AddressRanges(cidrs);
  const found = new Map<string, Address>();
  for (const info of Object.values(interfaces).flat()) {
    if (info === undefined || info.internal) continue;
    const canonical = canonicalAddress(info.address);
    if (canonical === null || canonical.text.startsWith('fe80:')) continue;
    const { text } = canonical;
    if (wanted.hasFamilyOf(text) && !wanted.contains(text)) continue;
    found.set(text, canonical);
  }
  return [...found.values()];
}
