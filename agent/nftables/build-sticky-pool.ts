import { createHash } from 'node:crypto';
import type { Family } from '../endpoints/canonical-address.ts';
import { shortHash } from './describe-chains.ts';
import type { StickyEndpoint, StickyPart, StickyPool } from './model.ts';

export interface StickyPort {
  family: Family;
  /** `namespace/name` of the Service, and what tells its ports apart: affinity is by port, over all its addresses. */
  owner: string;
  protocol: string;
  seconds: number;
}

/** So many endpoints, more or less, have a chain of their own that looks for them; below three such chains there are none. */
const PART_SIZE = 32;

/** Endpoints (`10.244.0.9 . 8080`) as chains that clients come back to. */
export function buildStickyPool(port: StickyPort, endpoints: readonly string[]): StickyPool {
  const members = endpoints.map((endpoint) => buildStickyEndpoint(port, endpoint));
  const parts = divide(members);
  return { chain: `affinity-${hashOf(members)}`, members, parts };
}

/**
 * Parts that mostly stay when an endpoint comes or goes: by a hash of each, not by its place. One part more divides one
 * of the others only (linear hashing: W. Litwin, 1980); parts by the remainder would all be other ones.
 */
function divide(members: readonly StickyEndpoint[]): StickyPart[] {
  const count = Math.ceil(members.length / PART_SIZE);
  if (count < 3) return [];
  const half = 2 ** Math.floor(Math.log2(count));
  const parts: StickyEndpoint[][] = Array.from({ length: count }, () => []);
  for (const member of members) {
    const hash = Number.parseInt(member.chain.slice(-7), 16);
    const index = hash % (2 * half);
    parts[index < count ? index : index - half]?.push(member);
  }
  return parts
    .filter((part) => part.length > 0)
    .map((part) => ({ chain: `found-${hashOf(part)}`, members: part }));
}

function hashOf(members: readonly StickyEndpoint[]): string {
  return shortHash(members.map(({ chain }) => chain).join(' '));
}

function buildStickyEndpoint(port: StickyPort, endpoint: string): StickyEndpoint {
  const { family, owner, protocol, seconds } = port;
  const [address = '', number = ''] = endpoint.split(' . ');
  const identity = `${family} ${owner} ${protocol} ${endpoint}`;
  return {
    // The time is no part of the id: another one doesn't make anybody forget.
    chain: `sticky-${shortHash(`${identity} ${seconds}`)}`,
    id: stickyId(family, identity),
    address,
    port: Number(number),
    protocol,
    seconds,
  };
}

/** The same for the same endpoint in every life of the agent. As two IPv4 addresses or one of IPv6, for want of numbers. */
function stickyId(family: Family, identity: string): string {
  const digest = createHash('sha256').update(identity).digest();
  if (family === 'ip') return `${digest.subarray(0, 4).join('.')} . ${digest.subarray(4, 8).join('.')}`;
  return (digest.subarray(0, 16).toString('hex').match(/.{4}/g) ?? []).join(':');
}
