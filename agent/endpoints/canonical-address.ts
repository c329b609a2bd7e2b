import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** An nftables family: each has a table of its own. */
export type Family = 'ip' | 'ip6';

export interface Address {
  family: Family;
  /** As the kernel's tools print it, so that texts can be compared. */
  text: string;
}

const MAPPED = '::ffff:';

/** What Kubernetes took before 1.22's Go, and keeps where it is stored (`ParseIPSloppy`): 010.0.0.1 is 10.0.0.1. */
const LEADING_ZEROS = /(?<=^|\.)0+(?=\d)/g;

/** The address in the one form that nft prints, or null. An IPv4-mapped IPv6 address is taken as IPv4, as Kubernetes does. */
export function canonicalAddress(text: string): Address | null {
  if (isIPv4(text)) return { family: 'ip', text };
  const plain = text.replace(LEADING_ZEROS, '');
  if (isIPv4(plain)) return { family: 'ip', text: plain };
  if (!isIPv6(text) || text.includes('%')) return null;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const mapped = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : '';
  return isIPv4(mapped) ? { family: 'ip', text: mapped } : { family: 'ip6', text: address };
}
