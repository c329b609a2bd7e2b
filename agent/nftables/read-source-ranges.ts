import type { Service } from '../../kube/objects.ts';
import { AddressRanges } from '../address-ranges.ts';
import { canonicalAddress, type Family } from '../endpoints/canonical-address.ts';
import { UnusableServiceError } from './unusable-service-error.ts';

/**
 * From where the load balancers' addresses of a Service can be reached; undefined: from everywhere, as with a range of all
 * addresses (`/0`), or without one of this family. A node within the ranges may speak with one of these addresses as its
 * own: they are added then. See `serviceport.go` and `proxier.go` (`usesFWChain`) of kube-proxy. Throws UnusableServiceError.
 */
export function readSourceRanges(
  service: Service,
  family: Family,
  vips: readonly string[],
  nodeAddresses: readonly string[],
): string[] | undefined {
  const ranges = (service.spec.loadBalancerSourceRanges ?? [])
    .map((text) => readRange(text.trim()))
    .filter((range) => range.family === family);
  if (ranges.length === 0 || ranges.some(({ length }) => length === 0)) return undefined;
  const cidrs = ranges.map(({ address, length }) => `${address}/${length}`);
  const within = new AddressRanges(cidrs);
  const texts = nodeAddresses.some((address) => within.contains(address)) ? [...cidrs, ...vips] : cidrs;
  return [...new Set(texts)].sort();
}

function readRange(text: string): { family: Family; address: string; length: number } {
  const [, prefix = '', digits = ''] = /^([^/]+)\/(\d+)$/.exec(text) ?? [];
  const address = canonicalAddress(prefix);
  const length = Number(digits);
  if (address === null || digits === '' || length > (address.family === 'ip' ? 32 : 128)) {
    throw new UnusableServiceError(`loadBalancerSourceRanges: ${JSON.stringify(text)} is no CIDR`);
  }
  return { family: address.family, address: address.text, length };
}
