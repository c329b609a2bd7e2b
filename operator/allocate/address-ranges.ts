import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { IpFamily } from '../../kube/objects.ts';

/** One IP address as a number, so that ranges can be counted and stepped through. */
export interface Address {
  family: IpFamily;
  value: bigint;
}

/** Addresses `first` to `last`, both included. */
export interface AddressRange {
  family: IpFamily;
  first: bigint;
  last: bigint;
}

export type ParsedRange = { kind: 'range'; range: AddressRange } | { kind: 'invalid'; message: string };

const BITS: Record<IpFamily, number> = { IPv4: 32, IPv6: 128 };

/**
 * Reads one address; undefined when it isn't one. Stricter than inet_aton: IPv4 is four decimal parts, and IPv6 has
 * neither a zone nor an IPv4 address mapped into it, since two texts for one address would be two claims.
 */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) {
    return { family: 'IPv4', value: toValue(text.split('.').map(Number), 2) };
  }
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const parts = text.includes('.') ? ipaddr.IPv6.parse(text).parts : readParts(text);
  const value = toValue(parts, 4);
  return value >> 32n === 0xffffn ? undefined : { family: 'IPv6', value };
}

/** The one text of an address: dotted decimal, or RFC 5952. */
export function formatAddress({ family, value }: Address): string {
  return family === 'IPv4'
    ? new ipaddr.IPv4(toParts(value, 4, 2)).toString()
    : new ipaddr.IPv6(toParts(value, 8, 4)).toRFC5952String();
}

/** Rewrites an address to its one text; undefined when it isn't an address. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

/** Reads a CIDR (`192.0.2.0/28`), a range (`192.0.2.10-192.0.2.20`) or a single address; blanks around are ignored. */
export function parseRange(text: string): ParsedRange {
  const trimmed = text.trim();
  const range = trimmed.includes('-') ? parseFromTo(trimmed) : parseCidr(trimmed);
  if (typeof range === 'string') return { kind: 'invalid', message: range };
  const unusable = UNUSABLE.find((block) => overlaps(block.range, range));
  if (unusable !== undefined) {
    return {
      kind: 'invalid',
      message: `"${trimmed}" holds ${unusable.what}, which no Service can be reached at`,
    };
  }
  return { kind: 'range', range };
}

/** Sorts ranges of one family and joins those that overlap or touch, so that no address is counted twice. */
export function mergeRanges(ranges: readonly AddressRange[], family: IpFamily): AddressRange[] {
  const sorted = ranges.filter((range) => range.family === family).sort((a, b) => compare(a.first, b.first));
  const merged: AddressRange[] = [];
  for (const range of sorted) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1n) {
      if (range.last > before.last) before.last = range.last;
    } else merged.push({ ...range });
  }
  return merged;
}

/** How many addresses ranges that don't overlap hold. */
export function countAddresses(ranges: readonly AddressRange[]): bigint {
  return ranges.reduce((sum, range) => sum + range.last - range.first + 1n, 0n);
}

export function rangeHolds(range: AddressRange, address: Address): boolean {
  return range.family === address.family && range.first <= address.value && address.value <= range.last;
}

function parseCidr(text: string): AddressRange | string {
  const [base = '', length, ...rest] = text.split('/');
  const address = parseAddress(base);
  if (address === undefined || rest.length > 0) return `"${text}" is not an address, a CIDR or a range`;
  const bits = BITS[address.family];
  if (length === undefined) return { family: address.family, first: address.value, last: address.value };
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) {
    return `"${text}" has a prefix length outside 0 to ${bits}`;
  }
  const size = 1n << BigInt(bits - Number(length));
  const first = address.value - (address.value % size);
  return { family: address.family, first, last: first + size - 1n };
}

function parseFromTo(text: string): AddressRange | string {
  const [from = '', to = '', ...rest] = text.split('-').map((part) => part.trim());
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (first === undefined || last === undefined || rest.length > 0) {
    return `"${text}" is not a range of two addresses`;
  }
  if (first.family !== last.family) return `"${text}" mixes IPv4 and IPv6`;
  if (first.value > last.value) return `"${text}" ends before it begins`;
  return { family: first.family, first: first.value, last: last.value };
}

function block(cidr: string, what: string): { range: AddressRange; what: string } {
  const range = parseCidr(cidr);
  if (typeof range === 'string') throw new Error(range);
  return { range, what };
}

/** RFC 6890 and RFC 4291: blocks that are never the address of a Service. */
const UNUSABLE = [
  block('0.0.0.0/8', 'addresses of "this network" (0.0.0.0/8)'),
  block('127.0.0.0/8', 'loopback addresses (127.0.0.0/8)'),
  block('224.0.0.0/4', 'multicast addresses (224.0.0.0/4)'),
  block('255.255.255.255/32', 'the broadcast address'),
  block('::/64', 'the unspecified, the loopback or IPv4-mapped addresses (::/64)'),
  block('fe80::/10', 'link-local addresses (fe80::/10)'),
  block('ff00::/8', 'multicast addresses (ff00::/8)'),
];

function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** The eight parts of a valid IPv6 text; ipaddr.js takes 20 us for it, and a claim is parsed several times. */
function readParts(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const read = (part: string) =>
    part === '' ? [] : part.split(':').map((digits) => Number.parseInt(digits, 16));
  const before = read(head);
  if (tail === undefined) return before;
  const after = read(tail);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

/** By way of hexadecimal text, which is several times faster than shifting BigInts part by part. */
function toValue(parts: readonly number[], digits: number): bigint {
  return BigInt(`0x${parts.map((part) => part.toString(16).padStart(digits, '0')).join('')}`);
}

function toParts(value: bigint, count: number, digits: number): number[] {
  const text = value.toString(16).padStart(count * digits, '0');
  return Array.from({ length: count }, (_, index) =>
    Number.parseInt(text.slice(index * digits, (index + 1) * digits), 16),
  );
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
