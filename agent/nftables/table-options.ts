import type { Family } from '../endpoints/canonical-address.ts';

/** What the rules depend on beside Services; a change of it is a change of rules. */
export interface TableOptions {
  /**
   * Pods' own addresses, which reach ClusterIPs unmasqueraded, and any endpoint. Without any of a family, nothing is
   * masqueraded for it, and pods are as anybody.
   */
  clusterCidrs: readonly string[];
  /** Where ClusterIPs come from: an address in them that no Service has is dropped. */
  serviceCidrs: readonly string[];
  /** One bit of the packet mark, ours alone. kube-proxy has 0x4000. */
  markBit: number;
  /** Clients with session affinity that are remembered, of one family. @default MOST_REMEMBERED */
  remembered?: number;
}

/** A table takes memory only as it fills. */
export const MOST_REMEMBERED = 2 ** 20;

export function cidrsOf(family: Family, cidrs: readonly string[]): string[] {
  return cidrs.filter((cidr) => cidr.includes(':') === (family === 'ip6'));
}

/** The statement that marks a packet for masquerading. */
export function setMark(markBit: number): string {
  return `meta mark set meta mark | ${toHex(markBit)}`;
}

export function toHex(bit: number): string {
  return `0x${bit.toString(16)}`;
}
