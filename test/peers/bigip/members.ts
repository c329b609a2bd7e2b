import { isIP } from 'node:net';
import { number, objects, type PlainObject, text } from './plain.ts';

/** Of a pool, as the configuration holds it. `session` and `state` are what somebody set, not what monitors found. */
export interface Member extends PlainObject {
  /** `/T/10.0.0.1:80`; with IPv6 `/T/2001:db8::1.80`. */
  path: string;
  address: string;
  port: number;
  session: 'user-enabled' | 'user-disabled';
  state: 'user-up' | 'user-down';
}

export function membersOf(pool: PlainObject): Member[] {
  return objects(pool.members).map(readMember);
}

function readMember(from: PlainObject): Member {
  return {
    ...from,
    path: text(from.path),
    address: text(from.address),
    port: number(from.port, 0),
    session: from.session === 'user-disabled' ? 'user-disabled' : 'user-enabled',
    state: from.state === 'user-down' ? 'user-down' : 'user-up',
  };
}

/** With the route domain (`10.0.0.1%2`), if any, as part of the address. */
export function joinAddressPort(address: string, port: number): string {
  return isIP(address.split('%')[0] ?? '') === 6 ? `${address}.${port}` : `${address}:${port}`;
}

/** Of `10.0.0.1:80` or `2001:db8::1.80`; names of services aren't known. */
export function splitAddressPort(joined: string): { address: string; port: number } {
  const [, address = joined, port = '0'] = /^(.+)[.:](\d+|any)$/.exec(joined) ?? [];
  return { address, port: port === 'any' ? 0 : Number(port) };
}

/** What monitors and connections say of a server, the same on every unit. */
export interface MemberHealth {
  /** By its monitors. @default true */
  up?: boolean;
  /** Open now, on the active unit. @default 0 */
  connections?: number;
}
