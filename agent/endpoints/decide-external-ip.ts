import { BlockList } from 'node:net';
import type { Address } from './canonical-address.ts';

/** Lets the Services of a namespace (`*`: of any) have `externalIPs` within a range. */
export interface ExternalIpRule {
  namespace: string;
  cidr: string;
}

/**
 * Whether a Service may take an external address. Without a rule for it, not: whoever may create Services could otherwise
 * take any address from everybody in the cluster (CVE-2020-8554).
 */
export function mayHaveExternalIp(
  address: Address,
  namespace: string | undefined,
  rules: readonly ExternalIpRule[],
): boolean {
  const allowed = new BlockList();
  const type = address.family === 'ip6' ? 'ipv6' : 'ipv4';
  for (const { namespace: of, cidr } of rules) {
    const [network = '', length = ''] = cidr.split('/');
    // A BlockList takes IPv4 for a part of ::/0.
    if ((of === '*' || of === namespace) && network.includes(':') === (address.family === 'ip6')) {
      allowed.addSubnet(network, Number(length), type);
    }
  }
  return allowed.check(address.text, type);
}
