import { AddressRanges } from '../address-ranges.ts';
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
  const ranges = rules.filter((rule) => rule.namespace === '*' || rule.namespace === namespace);
  return new AddressRanges(ranges.map(({ cidr }) => cidr)).contains(address.text);
}
