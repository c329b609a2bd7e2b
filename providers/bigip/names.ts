import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Frontend } from '../../crds/load-balancer.ts';
import type { LoadBalancerId, ProviderScope } from '../provider.ts';

const LONGEST_READABLE = 60;

/** The tenant, which is the partition on the device: as configured, or one that no other cluster has. */
export function tenantOf({ spec }: ProviderScope, clusterId: string): string {
  return spec.bigip?.tenant ?? `fairlead_${sanitize(clusterId).slice(0, 8)}`;
}

/**
 * The application of a LoadBalancer. A Service that is made anew with the same name gets another one: the digest is of the
 * cluster and the Service's uid too.
 */
export function applicationOf({ clusterId, name, namespace, serviceUid }: LoadBalancerId): string {
  const digest = createHash('sha256')
    .update([clusterId, namespace, name, serviceUid].join('\n'))
    .digest('hex')
    .slice(0, 12);
  // AS3 has every name begin with a letter.
  return `fl_${sanitize(`${namespace}_${name}`).slice(0, LONGEST_READABLE)}_${digest}`;
}

/** Has it the form of `applicationOf`? Of what a restart left behind, nothing but the name says whose it is. */
export function isApplicationName(name: string): boolean {
  return /^fl_[A-Za-z0-9_]+_[0-9a-f]{12}$/.test(name);
}

export function virtualOf({ port, protocol }: Frontend, address: string): string {
  return `${protocol.toLowerCase()}_${port}_${sanitize(address)}`;
}

export function poolOf({ port, protocol }: Frontend, family: 'IPv4' | 'IPv6'): string {
  return `pool_${protocol.toLowerCase()}_${port}_${family.toLowerCase()}`;
}

/** The list of that one port, for virtual servers whose sources are a list. */
export function portListOf({ port }: Frontend): string {
  return `port_${port}`;
}

export function familyOf(address: string): 'IPv4' | 'IPv6' {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}

/** A pool member as iControl REST names it: `192.0.2.1:80`, and `2001:db8::1.80` for IPv6. */
export function memberName(address: string, port: number): string {
  return isIPv6(address) ? `${address}.${port}` : `${address}:${port}`;
}

function sanitize(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, '_');
}
