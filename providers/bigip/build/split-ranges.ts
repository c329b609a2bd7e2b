import ipaddr from 'ipaddr.js';
import type { Json, JsonObject } from '../json.ts';

type Family = 'IPv4' | 'IPv6';

/** Who may connect, for a virtual server: AS3's `sourceAddress`, and the list that it names. */
export interface Source {
  value: Json | undefined;
  list?: { name: string; addresses: JsonObject } | undefined;
}

export interface Ranges {
  /** Whether anybody of that family may connect. */
  isOpen(family: Family): boolean;
  sourceOf(family: Family): Source;
}

/**
 * Source ranges by family. A virtual server has one source; several of them need an address list, which BIG-IP has since
 * 14.1 (AS3 schema reference, Service_Core.sourceAddress). Ranges of one family alone shut the other one out.
 */
export function splitRanges(ranges: readonly string[]): Ranges {
  const byFamily: Record<Family, string[]> = { IPv4: [], IPv6: [] };
  for (const range of ranges) {
    const cidr = readCidr(range);
    if (cidr !== undefined) byFamily[cidr.family].push(cidr.text);
  }
  const of = (family: Family) => [...new Set(byFamily[family])].sort();
  return {
    isOpen: (family) => ranges.length === 0 || of(family).length > 0,
    sourceOf: (family) => {
      const all = of(family);
      const [first, ...more] = all;
      if (first === undefined || all.some(isEverybody)) return { value: undefined };
      if (more.length === 0) return { value: first };
      const name = `sources_${family.toLowerCase()}`;
      const addresses = { class: 'Net_Address_List', addresses: all };
      return { value: { use: name }, list: { name, addresses } };
    },
  };
}

/** With the bits beyond the prefix taken away: the device refuses them. The API server lets nothing else through. */
function readCidr(range: string): { family: Family; text: string } | undefined {
  if (!ipaddr.isValidCIDR(range)) return undefined;
  const [address, bits] = ipaddr.parseCIDR(range);
  const isIPv6 = address.kind() === 'ipv6';
  const network = isIPv6
    ? ipaddr.IPv6.networkAddressFromCIDR(range)
    : ipaddr.IPv4.networkAddressFromCIDR(range);
  return { family: isIPv6 ? 'IPv6' : 'IPv4', text: `${network.toString()}/${bits}` };
}

function isEverybody(range: string): boolean {
  return range.endsWith('/0');
}
