import { createHash } from 'node:crypto';
import type { Family } from '../endpoints/canonical-address.ts';
import { shortHash } from './describe-chains.ts';
import type { StickyEndpoint, StickyPool } from './model.ts';

export interface StickyPort {
  family: Family;
  /** `namespace/name` of the Service, and what tells its ports apart: affinity is by port, over all its addresses. */
  owner: string;
  protocol: string;
  seconds: number;
}

/** Endpoints (`10.244.0.9 . 8080`) as chains that clients come back to. */
export function buildStickyPool(port: StickyPort, endpoints: readonly string[]): StickyPool {
  const members = endpoints.map((endpoint) => buildStickyEndpoint(port, endpoint));
  return { chain: `affinity-${shortHash(members.map(({ chain }) => chain).join(' '))}`, members };
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
