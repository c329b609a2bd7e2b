import { isWithin } from '../build/read-cidr.ts';
import type { LoadBalancerModel, SubnetChoice, SubnetMappingModel } from '../model.ts';
import type { ObservedNetwork, ObservedSubnet, ObservedZone } from '../observed.ts';

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#availability-zones */
const ADDRESSES_NEEDED = 8;

export type ResolvedSubnets =
  | { kind: 'resolved'; vpcId: string; mappings: SubnetMappingModel[] }
  | { kind: 'refused'; reason: string; message: string };

type Model = Pick<LoadBalancerModel, 'ipAddressType' | 'scheme' | 'subnets'>;

/**
 * Which subnets a load balancer gets, one a zone, by id; or why none can be chosen, and what to do. `present`: where it is
 * already, which needs no more addresses, and which others of the zone don't take the place of.
 */
export function resolveSubnets(
  model: Model,
  network: ObservedNetwork,
  present: readonly ObservedZone[] = [],
): ResolvedSubnets {
  const ids = new Set(present.map(({ subnetId }) => subnetId));
  const found =
    model.subnets.kind === 'given'
      ? findGiven(model.subnets, network)
      : findTagged(model.subnets, network, ids);
  if (found.kind === 'refused') return found;
  return refuse(model, found.subnets, ids) ?? toMappings(model.subnets, found.subnets);
}

type Found = { kind: 'found'; subnets: ObservedSubnet[] } | Extract<ResolvedSubnets, { kind: 'refused' }>;

function findGiven(
  { mappings }: Extract<SubnetChoice, { kind: 'given' }>,
  { subnets }: ObservedNetwork,
): Found {
  const found: ObservedSubnet[] = [];
  for (const { subnet } of mappings) {
    const matches = subnets.filter(({ id, name }) => id === subnet || name === subnet);
    const [match] = matches;
    if (match === undefined)
      return refused('SubnetNotFound', `There is no subnet "${subnet}" in this region: correct it.`);
    if (matches.length > 1) {
      const ids = matches.map(({ id }) => id).join(', ');
      return refused('AmbiguousSubnet', `Several subnets are named "${subnet}": give one of the ids ${ids}.`);
    }
    found.push(match);
  }
  return { kind: 'found', subnets: found };
}

/**
 * One a zone: where it is already before those with the cluster's tag, these before those without, then by id, so that nothing
 * but a change of tags changes it.
 */
function findTagged(
  choice: Extract<SubnetChoice, { kind: 'tagged' }>,
  network: ObservedNetwork,
  present: ReadonlySet<string>,
): Found {
  const { clusterTag, tags, vpcId } = choice;
  const isOwn = (subnet: ObservedSubnet) => clusterTag !== undefined && subnet.tags[clusterTag] !== undefined;
  const tagged = network.subnets.filter(
    (subnet) => (vpcId === undefined || subnet.vpcId === vpcId) && hasTags(subnet, tags),
  );
  if (tagged.length === 0) return refused('NoSubnets', describeNoSubnets(choice));
  const own = tagged.filter(isOwn);
  const vpcs = new Set((own.length > 0 ? own : tagged).map((subnet) => subnet.vpcId));
  if (vpcs.size > 1) {
    const text = `Subnets of several VPCs (${[...vpcs].sort().join(', ')}) are tagged for load balancers: name one in the provider's vpcID, or the cluster in clusterName.`;
    return refused('AmbiguousVPC', text);
  }
  const rank = (subnet: ObservedSubnet) => (present.has(subnet.id) ? 0 : isOwn(subnet) ? 1 : 2);
  const candidates = tagged
    .filter((subnet) => vpcs.has(subnet.vpcId))
    .sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
  const byZone = new Map<string, ObservedSubnet>();
  for (const subnet of candidates) if (!byZone.has(subnet.zone)) byZone.set(subnet.zone, subnet);
  return { kind: 'found', subnets: [...byZone.values()].sort((a, b) => (a.zone < b.zone ? -1 : 1)) };
}

function hasTags(subnet: ObservedSubnet, tags: Readonly<Record<string, string>>): boolean {
  return Object.entries(tags).every(([key, value]) => {
    const found = subnet.tags[key];
    return found !== undefined && (value === '' || found === value);
  });
}

function refuse(
  { ipAddressType, scheme, subnets: choice }: Model,
  subnets: readonly ObservedSubnet[],
  present: ReadonlySet<string>,
) {
  const zones = new Map<string, ObservedSubnet>();
  for (const subnet of subnets) {
    const other = zones.get(subnet.zone);
    if (other !== undefined && other.id !== subnet.id) {
      const text = `Subnets ${other.id} and ${subnet.id} are both in zone ${subnet.zone}: name one a zone.`;
      return refused('SubnetsInOneZone', text);
    }
    zones.set(subnet.zone, subnet);
  }
  const vpcs = new Set(subnets.map(({ vpcId }) => vpcId));
  if (vpcs.size > 1) return refused('AmbiguousVPC', 'The subnets are of several VPCs: name those of one.');
  // An internal one of which people name the addresses needs no others.
  const isFixed = scheme === 'internal' && addressesOf(choice, 'privateIPv4Address').length > 0;
  const full = subnets.find(
    ({ availableAddresses, id }) => !isFixed && !present.has(id) && availableAddresses < ADDRESSES_NEEDED,
  );
  if (full !== undefined) {
    const text = `Subnet ${full.id} has ${full.availableAddresses} free addresses, ${ADDRESSES_NEEDED} are needed: free some, or name other subnets.`;
    return refused('SubnetFull', text);
  }
  const without = ipAddressType === 'dualstack' ? subnets.find(({ hasIPv6 }) => !hasIPv6) : undefined;
  if (without !== undefined) {
    const text = `Subnet ${without.id} has no IPv6 range, which a dualstack load balancer needs: give it one, name other subnets, or have ipFamilies of IPv4 alone.`;
    return refused('NoIPv6', text);
  }
  return refuseAddresses(choice, subnets);
}

function refuseAddresses(choice: SubnetChoice, subnets: readonly ObservedSubnet[]) {
  if (choice.kind === 'tagged') {
    const { elasticIPs, ipv6Addresses, privateAddresses } = choice;
    for (const [what, given] of Object.entries({ elasticIPs, privateAddresses, ipv6Addresses })) {
      if (given.length === 0 || given.length === subnets.length) continue;
      const text = `${given.length} ${what} are given for ${subnets.length} subnets: give one for each, or name the subnets.`;
      return refused('AddressCountMismatch', text);
    }
  }
  const ranges = subnets.flatMap(({ cidrs = [] }) => cidrs);
  const all = [...addressesOf(choice, 'privateIPv4Address'), ...addressesOf(choice, 'ipv6Address')];
  const outside = all.filter((address) => !ranges.some((range) => isWithin(address, range)));
  // Not told by all: nothing is known of where they are.
  if (outside.length === 0 || subnets.some(({ cidrs = [] }) => cidrs.length === 0)) return undefined;
  const text = `${outside.join(', ')} is in none of the subnets ${subnets.map(({ id }) => id).join(', ')}: give addresses of theirs.`;
  return refused('AddressOutsideSubnets', text);
}

function toMappings(choice: SubnetChoice, subnets: readonly ObservedSubnet[]): ResolvedSubnets {
  const allocations =
    choice.kind === 'given' ? choice.mappings.map(({ allocationId }) => allocationId) : choice.elasticIPs;
  const privateAddresses = assign(addressesOf(choice, 'privateIPv4Address'), subnets);
  const ipv6Addresses = assign(addressesOf(choice, 'ipv6Address'), subnets);
  const mappings = subnets.map(
    ({ id }, index): SubnetMappingModel => ({
      subnet: id,
      allocationId: allocations[index],
      privateIPv4Address: privateAddresses[index],
      ipv6Address: ipv6Addresses[index],
    }),
  );
  return { kind: 'resolved', vpcId: subnets[0]?.vpcId ?? '', mappings };
}

function addressesOf(choice: SubnetChoice, which: 'privateIPv4Address' | 'ipv6Address'): string[] {
  if (choice.kind === 'given') return choice.mappings.flatMap((mapping) => mapping[which] ?? []);
  return which === 'ipv6Address' ? choice.ipv6Addresses : choice.privateAddresses;
}

/** To the subnets whose ranges they are in; in order, where the ranges don't tell. */
function assign(addresses: readonly string[], subnets: readonly ObservedSubnet[]): (string | undefined)[] {
  const byRange = subnets.map(({ cidrs = [] }) =>
    addresses.find((address) => cidrs.some((range) => isWithin(address, range))),
  );
  return byRange.filter((each) => each !== undefined).length === addresses.length ? byRange : [...addresses];
}

function describeNoSubnets({ clusterTag, tags, vpcId }: Extract<SubnetChoice, { kind: 'tagged' }>): string {
  const wanted = Object.entries(tags).map(([key, value]) => (value === '' ? key : `${key}=${value}`));
  const where = vpcId === undefined ? 'this region' : vpcId;
  const rather = clusterTag === undefined ? '' : `, rather with ${clusterTag} too`;
  return `No subnet in ${where} is tagged ${wanted.join(', ')}: tag one a zone${rather}, or name subnets in the provider's aws.subnets.`;
}

function refused(reason: string, message: string): Extract<ResolvedSubnets, { kind: 'refused' }> {
  return { kind: 'refused', reason, message };
}
