import { BlockList, isIP } from 'node:net';

/** CIDRs without those that lie in others, sorted: nft refuses a set in which two overlap. What is no CIDR is dropped. */
export function dropContained(cidrs: readonly string[]): string[] {
  const wide: string[] = [];
  const covered = new BlockList();
  const parsed = cidrs.map(parseCidr).filter((cidr) => cidr !== null);
  for (const { address, length, family } of parsed.sort((a, b) => a.length - b.length)) {
    if (covered.check(address, family)) continue;
    covered.addSubnet(address, length, family);
    wide.push(`${address}/${length}`);
  }
  return wide.sort();
}

function parseCidr(text: string) {
  const [address = '', digits = ''] = text.split('/');
  const version = isIP(address);
  const length = Number(digits);
  if (version === 0 || !/^\d+$/.test(digits) || length > (version === 6 ? 128 : 32)) return null;
  return { address, length, family: version === 6 ? ('ipv6' as const) : ('ipv4' as const) };
}
