import type { AwsOptions } from '../../../crds/aws-provider.ts';
import type { LoadBalancerModel, SubnetChoice } from '../model.ts';
import type { BuildInput } from './build-input.ts';
import { buildStackTags } from './build-tags.ts';
import { digestOf, nameResource } from './name-resources.ts';

/**
 * Tags by which subnets are found, as in all AWS controllers
 * (https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html).
 */
const ROLE_TAGS = {
  'internet-facing': 'kubernetes.io/role/elb',
  internal: 'kubernetes.io/role/internal-elb',
};

/** What belongs to the whole, as its leader says: the same for all that share it. */
export function buildLoadBalancer(input: BuildInput): LoadBalancerModel {
  const { desired, leader, stack } = input;
  const { options, spec } = leader;
  const scheme = spec.scheme === 'Internal' ? 'internal' : 'internet-facing';
  const ipAddressType =
    options.ipAddressType ?? (spec.ipFamilies?.includes('IPv6') === true ? 'dualstack' : 'ipv4');
  const hasGroups = needsSecurityGroup(options) || (options.securityGroups ?? []).length > 0;
  // A load balancer made without security groups never gets any, and its scheme stays what it is.
  const variant = digestOf([scheme, hasGroups]).slice(0, 8);
  // The name of one that is adopted can't be changed.
  const given = nameOfArn(options.adopt?.arn) ?? options.name;
  const isShared = desired.sharedAddress !== undefined;
  const identity = [desired.id.clusterId, stack, isShared ? '' : leader.id.serviceUid, variant];
  return {
    name: given ?? nameResource(stack, identity),
    isNamed: given !== undefined,
    variant,
    scheme,
    ipAddressType,
    subnets: chooseSubnets(input, scheme),
    securityGroups: options.securityGroups ?? [],
    attributes: options.attributes ?? {},
    tags: buildStackTags(input, 'LoadBalancer', variant),
  };
}

/** `arn:...:loadbalancer/net/<name>/<id>` */
function nameOfArn(arn: string | undefined): string | undefined {
  return arn?.split('/')[2];
}

/** Whether a group of ours lets clients in: unless people have their own, or it's a load balancer of theirs. */
export function managesSecurityGroup({ adopt, manageSecurityGroup, securityGroups }: AwsOptions): boolean {
  return manageSecurityGroup ?? (securityGroups === undefined && adopt === undefined);
}

/** Rules of nodes go with a group of ours, though it may let nobody in beside those of its owner. */
export function needsSecurityGroup(options: AwsOptions): boolean {
  return managesSecurityGroup(options) || options.manageBackendRules === true;
}

function chooseSubnets({ desired, leader }: BuildInput, scheme: LoadBalancerModel['scheme']): SubnetChoice {
  const { elasticIPs = [], ipv6Addresses = [], privateAddresses = [], subnets } = leader.options;
  const { clusterName, vpcID } = desired.provider.spec.aws ?? {};
  if (subnets === undefined) {
    return {
      kind: 'tagged',
      tags: { [ROLE_TAGS[scheme]]: '' },
      clusterTag: clusterName === undefined ? undefined : `kubernetes.io/cluster/${clusterName}`,
      vpcId: vpcID,
      elasticIPs,
      privateAddresses,
      ipv6Addresses,
    };
  }
  const at = (values: readonly string[], index: number) => values[index];
  return {
    kind: 'given',
    mappings: subnets.map((subnet, index) => ({
      subnet,
      allocationId: at(elasticIPs, index),
      privateIPv4Address: at(privateAddresses, index),
      ipv6Address: at(ipv6Addresses, index),
    })),
  };
}
