import { isIP } from 'node:net';

export interface DeclaredAddress {
  /** With its route domain, if it names one: `10.0.0.1%2`. */
  address: string;
  mask: string;
}

/** `10.0.0.1`, `10.0.0.0/24`, `2001:db8::1%2/64`. */
export function readAddress(given: string): DeclaredAddress {
  const [address = '', length] = given.split('/');
  const family = isIP(address.split('%')[0] ?? '');
  const bits = length === undefined ? (family === 6 ? 128 : 32) : Number(length);
  return { address, mask: family === 6 ? maskOfIPv6(bits) : maskOfIPv4(bits) };
}

/** All of a family. */
export function anySource(address: string): string {
  return isIP(address.split('%')[0] ?? '') === 6 ? '::/0' : '0.0.0.0/0';
}

export function withLength(source: string): string {
  if (source.includes('/')) return source;
  return `${source}/${isIP(source.split('%')[0] ?? '') === 6 ? 128 : 32}`;
}

function maskOfIPv4(bits: number): string {
  if (bits === 0) return 'any';
  return [0, 1, 2, 3].map((byte) => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - 8 * byte)))).join('.');
}

function maskOfIPv6(bits: number): string {
  if (bits === 0) return 'any6';
  const groups = [0, 1, 2, 3, 4, 5, 6, 7].map(
    (group) => 65_536 - 2 ** (16 - Math.min(16, Math.max(0, bits - 16 * group))),
  );
  const shown = groups.map((group) => group.toString(16)).join(':');
  return bits === 128 ? shown : shown.replace(/(?::0)+$/, '::');
}
