import type { LoadBalancerProviderSpec } from '../../../crds/load-balancer-provider.ts';
import type { Finding } from '../../provider.ts';
import { OWNER_TAGS } from '../tags.ts';

/** What can't work whatever the Services are, and the API server's rules don't see. */
export function validateAws({ aws, scheme }: LoadBalancerProviderSpec): Finding[] {
  if (aws === undefined) return [];
  const { elasticIPs = [], ipv6Addresses = [], privateAddresses = [], subnets, tags = {} } = aws;
  const findings: Finding[] = [];
  const say = (reason: string, message: string) => findings.push({ reason, message });
  if (elasticIPs.length > 0 && scheme === 'Internal') {
    say(
      'ElasticIPsNeedPublic',
      'aws.elasticIPs are for scheme Public: take them away, or make another provider.',
    );
  }
  if (privateAddresses.length > 0 && scheme === 'Public') {
    say(
      'PrivateAddressesNeedInternal',
      'aws.privateAddresses are for scheme Internal: take them away, or make another provider.',
    );
  }
  for (const [what, given] of Object.entries({ elasticIPs, privateAddresses, ipv6Addresses })) {
    if (subnets === undefined || given.length === 0 || given.length === subnets.length) continue;
    say(
      'AddressCountMismatch',
      `aws.${what} has ${given.length} entries for ${subnets.length} subnets: give one for each.`,
    );
  }
  if (ipv6Addresses.length > 0 && aws.ipAddressType === 'ipv4') {
    say('IPv6AddressesNeedDualstack', 'aws.ipv6Addresses are for ipAddressType dualstack.');
  }
  const reserved: string[] = Object.values(OWNER_TAGS);
  const bad = Object.keys(tags).filter((key) => reserved.includes(key) || key.startsWith('aws:'));
  if (bad.length > 0)
    say('ReservedTags', `aws.tags has ${bad.join(', ')}, which others set: take them away.`);
  return findings;
}
