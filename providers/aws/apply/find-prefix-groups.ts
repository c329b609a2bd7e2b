import type { Filter, GroupIdentifier, NetworkInterface } from '@aws-sdk/client-ec2';
import { isWithin } from '../build/read-cidr.ts';
import type { CallContext } from '../calls/call-aws.ts';
import { ec2Pages } from '../calls/pages.ts';
import type { Inventory } from '../observe/inventory.ts';

/**
 * Addresses that pods have from a prefix of their node's interface: AWS finds no interface by one of these, so all of the VPC
 * are looked at, once for each prefix. What is found of prefixes is kept beside what is known of addresses.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-prefix-eni.html
 */
export async function readPrefixes(
  inventory: Inventory,
  vpcId: string,
  ips: readonly string[],
  context: CallContext,
): Promise<void> {
  if (fromKnownPrefixes(inventory, ips).length === 0) return;
  const Filters = [{ Name: 'vpc-id', Values: [vpcId] }];
  for (const each of await readInterfaces(inventory, Filters, context)) {
    const groups = groupIdsOf(each.Groups);
    const prefixes = [
      ...(each.Ipv4Prefixes ?? []).map(({ Ipv4Prefix }) => Ipv4Prefix),
      ...(each.Ipv6Prefixes ?? []).map(({ Ipv6Prefix }) => Ipv6Prefix),
    ];
    for (const prefix of prefixes) if (prefix !== undefined) inventory.groupsOfTargets.set(prefix, groups);
  }
  fromKnownPrefixes(inventory, ips);
}

export async function readInterfaces(
  { calls }: Inventory,
  Filters: Filter[],
  context: CallContext,
): Promise<NetworkInterface[]> {
  const pages = await ec2Pages(calls, 'DescribeNetworkInterfaces', { Filters }, context);
  return pages.flatMap(({ NetworkInterfaces = [] }) => NetworkInterfaces);
}

/** Sorted, so that the same groups are the same text. */
export function groupIdsOf(groups: readonly GroupIdentifier[] = []): string[] {
  return groups.flatMap(({ GroupId }) => GroupId ?? []).sort();
}

/** Takes what prefixes that are known tell of these addresses; answers those of which they tell nothing. */
export function fromKnownPrefixes({ groupsOfTargets }: Inventory, ips: readonly string[]): string[] {
  const prefixes = [...groupsOfTargets].filter(([key]) => key.includes('/'));
  return ips.filter((ip) => {
    const groups = prefixes.find(([prefix]) => isWithin(ip, prefix))?.[1];
    if (groups !== undefined) groupsOfTargets.set(ip, groups);
    return groups === undefined;
  });
}
