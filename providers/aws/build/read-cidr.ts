import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A CIDR as EC2 tells it: the address of the network, IPv6 as in RFC 5952; undefined when it isn't one. */
export function canonicalCidr(text: string): string | undefined {
  const [address = '', length = '', ...rest] = text.trim().split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  if (rest.length > 0 || !/^\d{1,3}$/.test(length) || bits === 0 || Number(length) > bits) return undefined;
  return bits === 32
    ? `${ipaddr.IPv4.networkAddressFromCIDR(`${address}/${length}`)}/${Number(length)}`
    : `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${length}`).toRFC5952String()}/${Number(length)}`;
}

/** Whether an address is within a CIDR of its family. */
export function isWithin(address: string, cidr: string): boolean {
  if (!ipaddr.isValid(address) || !ipaddr.isValidCIDR(cidr)) return false;
  const parsed = ipaddr.parse(address);
  const [network, length] = ipaddr.parseCIDR(cidr);
  return parsed.kind() === network.kind() && parsed.match([network, length]);
}
