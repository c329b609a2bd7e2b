import { isIP } from 'node:net';
import { AddressRanges } from './address-ranges.ts';

/** CIDRs without those that lie in others, sorted: nft refuses a set in which two overlap. What is no CIDR is dropped. */
export function dropContained(cidrs: readonly string[]): string[] {
  const wide: string[] = [];
  const covered = new AddressRanges();
  const parsed = cidrs.map(parseCidr).filter((cidr) => cidr !== null);
  for (const { address, length } of parsed.sort((a, b) => a.length - b.length)) {
    if (covered.contains(address)) continue;
    covered.add(`${address}/${length}`);
    wide.push(`${address}/${length}`);
  }
  return wide.sort();
}

function parseCidr(text: string) {
  const [address = '', digits = ''] = text.split('/');
  const version = isIP(address);
  const length = Number(digits);
  if (version === 0 || !/^\d+$/.test(digits) || length > (version === 6 ? 128 : 32)) return null;
  return { address, length };
}
