import ipaddr from 'ipaddr.js';
import { AwsError } from '../aws-error.ts';
import type { MendContext } from '../mend.ts';
import { objects, optionalText, type PlainObject, text, texts } from '../plain.ts';
import type { LoadBalancerView, SubnetView } from '../view.ts';
import { freeAddressesOf } from './free-addresses.ts';
import { findSubnets } from './network-facts.ts';

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/network/availability-zones.html */
const ADDRESSES_NEEDED = 8;

/** A subnet that a load balancer is to be in, with the addresses that it is to have there. */
export interface Mapping {
  subnetId: string;
  allocationId: string | undefined;
  privateAddress: string | undefined;
  ipv6Address: string | undefined;
}

/** Of CreateLoadBalancer and SetSubnets, which take either of two parameters. */
export function mappingsOf(parameters: PlainObject): Mapping[] {
  const ids = texts(parameters.Subnets);
  const mappings = objects(parameters.SubnetMappings);
  if (ids.length > 0 && mappings.length > 0) {
    throw new AwsError(
      'InvalidConfigurationRequest',
      'You must specify either subnets or subnet mappings, not both',
    );
  }
  if (ids.length === 0 && mappings.length === 0) {
    throw new AwsError('ValidationError', 'At least one subnet must be specified');
  }
  return [
    ...ids.map((subnetId) => ({
      subnetId,
      allocationId: undefined,
      privateAddress: undefined,
      ipv6Address: undefined,
    })),
    ...mappings.map((mapping) => ({
      subnetId: text(mapping.SubnetId),
      allocationId: optionalText(mapping.AllocationId),
      privateAddress: optionalText(mapping.PrivateIPv4Address),
      ipv6Address: optionalText(mapping.IPv6Address),
    })),
  ];
}

/** What is asked for, against what is there; `owner` has some of it already. */
export async function resolveSubnets(
  mappings: readonly Mapping[],
  wanted: { scheme: string; dualstack: boolean; owner: LoadBalancerView | undefined },
  context: MendContext,
): Promise<SubnetView[]> {
  const { owner } = wanted;
  const ids = mappings.map(({ subnetId }) => subnetId);
  const found = await findSubnets(ids, context);
  const addresses = await elasticAddresses(mappings, owner, context);
  const zones = new Set<string>();
  const vpcs = new Set<string>();
  return mappings.map((mapping) => {
    const { subnetId, allocationId, privateAddress, ipv6Address } = mapping;
    const subnet = found.get(subnetId);
    if (subnet === undefined) {
      throw new AwsError('SubnetNotFound', `The subnet ID '${subnetId}' does not exist`);
    }
    const zone = text(subnet.availabilityZone);
    if (zones.has(zone)) {
      throw new AwsError(
        'InvalidConfigurationRequest',
        'A load balancer cannot be attached to multiple subnets in the same Availability Zone',
      );
    }
    zones.add(zone);
    vpcs.add(text(subnet.vpcId));
    if (vpcs.size > 1) {
      throw new AwsError('InvalidConfigurationRequest', 'All subnets must belong to the same VPC');
    }
    const has = owner?.subnets.some((present) => present.subnetId === subnetId) ?? false;
    if (!has && freeAddressesOf(subnet, context) < ADDRESSES_NEEDED) {
      throw new AwsError(
        'InvalidSubnet',
        `Not enough IP space available in ${subnetId}. ELB requires at least ${ADDRESSES_NEEDED} free IP addresses in each subnet.`,
      );
    }
    const hasIPv6 = objects(subnet.ipv6CidrBlockAssociationSet).length > 0;
    if (wanted.dualstack && !hasIPv6) {
      throw new AwsError(
        'InvalidConfigurationRequest',
        `You must specify subnets with an associated IPv6 CIDR block: ${subnetId} has none`,
      );
    }
    checkAddresses(mapping, wanted.scheme, text(subnet.cidrBlock));
    const shown = [
      ...(allocationId === undefined
        ? []
        : [{ IpAddress: addresses.get(allocationId) ?? '', AllocationId: allocationId }]),
      ...(privateAddress === undefined ? [] : [{ PrivateIPv4Address: privateAddress }]),
      ...(ipv6Address === undefined ? [] : [{ IPv6Address: ipv6Address }]),
    ];
    return { subnetId, zone, vpcId: text(subnet.vpcId), addresses: shown };
  });
}

function checkAddresses(mapping: Mapping, scheme: string, cidr: string): void {
  const { subnetId, allocationId, privateAddress } = mapping;
  if (allocationId !== undefined && scheme !== 'internet-facing') {
    throw new AwsError(
      'InvalidConfigurationRequest',
      'Elastic IP addresses can only be specified for internet-facing load balancers',
    );
  }
  if (privateAddress === undefined) return;
  if (scheme !== 'internal') {
    throw new AwsError(
      'InvalidConfigurationRequest',
      'Private IPv4 addresses can only be specified for internal load balancers',
    );
  }
  if (!ipaddr.isValid(privateAddress) || !ipaddr.parse(privateAddress).match(ipaddr.parseCIDR(cidr))) {
    throw new AwsError(
      'InvalidConfigurationRequest',
      `The private IPv4 address '${privateAddress}' is not in the address range of subnet '${subnetId}'`,
    );
  }
}

/** Public addresses by allocation id. */
async function elasticAddresses(
  mappings: readonly Mapping[],
  owner: LoadBalancerView | undefined,
  { moto, view }: MendContext,
): Promise<Map<string, string>> {
  const ids = mappings.map(({ allocationId }) => allocationId).filter((id) => id !== undefined);
  if (ids.length === 0) return new Map();
  const answer = await moto.ec2('DescribeAddresses', { Filter: [{ Name: 'allocation-id', Value: ids }] });
  const found = objects(answer.addressesSet);
  const missing = ids.filter((id) => !found.some((address) => address.allocationId === id));
  if (missing.length > 0) {
    throw new AwsError('AllocationIdNotFound', `The allocation IDs '${missing.join("', '")}' do not exist`);
  }
  const others = [...view.loadBalancers.values()].filter(({ arn }) => arn !== owner?.arn);
  const taken = new Set(
    others.flatMap((other) =>
      other.subnets.flatMap(({ addresses }) => addresses.map((one) => one.AllocationId)),
    ),
  );
  if (
    found.some(
      (address) => taken.has(address.allocationId) || optionalText(address.associationId) !== undefined,
    )
  ) {
    throw new AwsError('ResourceInUse', 'The allocation IDs are not available for use');
  }
  return new Map(found.map((address) => [text(address.allocationId), text(address.publicIp)]));
}
