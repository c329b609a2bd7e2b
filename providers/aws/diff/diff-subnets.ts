import type { Finding } from '../../provider.ts';
import type { AwsChange } from '../changes.ts';
import type { LoadBalancerModel, SubnetMappingModel } from '../model.ts';
import type { ObservedLoadBalancer, ObservedNetwork } from '../observed.ts';
import { describeFields, diffField } from './diff-fields.ts';
import { resolveSubnets } from './resolve-subnets.ts';

const resource = 'LoadBalancer';

export interface SubnetsDiff {
  changes: AwsChange[];
  /** Why it stays where it is, though it ought to be elsewhere. */
  obstacle?: Finding;
}

/**
 * Subnets and the type of addresses. Within a zone AWS wants the old subnet taken away before the new one comes, so that such a
 * change takes two turns; the last subnet can't be taken away.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/availability-zones.html
 */
export function diffSubnets(
  model: LoadBalancerModel,
  found: ObservedLoadBalancer,
  network: ObservedNetwork | undefined,
): SubnetsDiff {
  const typeFields = diffField('ipAddressType', found.ipAddressType, model.ipAddressType);
  const resolved = network === undefined ? undefined : resolveSubnets(model, network, found.subnets);
  if (resolved === undefined || resolved.kind === 'refused') {
    const changes = setType(model, found, typeFields);
    return resolved === undefined ? { changes } : { changes, obstacle: resolved };
  }
  if (resolved.vpcId !== found.vpcId) {
    const message = `Load balancer ${found.name} is in ${found.vpcId}, and its subnets ought to be in ${resolved.vpcId}: a load balancer stays in its VPC. Name subnets of ${found.vpcId}, or make the Service anew.`;
    return { changes: setType(model, found, typeFields), obstacle: { reason: 'OtherVPC', message } };
  }
  const isAsItIs = (mapping: SubnetMappingModel) => found.subnets.some((each) => fits(each, mapping));
  const { mappings } = resolved;
  const leaving = found.subnets.filter(({ subnetId }) => !mappings.some(({ subnet }) => subnet === subnetId));
  if (mappings.every(isAsItIs) && leaving.length === 0) return { changes: setType(model, found, typeFields) };

  const zoneOf = new Map(network?.subnets.map(({ id, zone }) => [id, zone]));
  const hasOther = ({ subnet }: SubnetMappingModel) =>
    found.subnets.some((each) => each.zone === zoneOf.get(subnet) || each.subnetId === subnet);
  const possible = mappings.filter((mapping) => isAsItIs(mapping) || !hasOther(mapping));
  const [first] = found.subnets;
  // All zones change: one stays until there are others, rather one whose zone nobody wants any more.
  const zones = new Set(mappings.map(({ subnet }) => zoneOf.get(subnet)));
  const stays = found.subnets.find(({ zone }) => !zones.has(zone)) ?? first;
  const next =
    possible.length > 0 || stays === undefined || found.subnets.length === 1
      ? possible
      : [{ subnet: stays.subnetId }];
  if (next.length === 0) {
    const message = `Subnet ${first?.subnetId ?? ''} is the only one of load balancer ${found.name}, and AWS doesn't let it be exchanged: have another zone first, or make the Service anew.`;
    return { changes: setType(model, found, typeFields), obstacle: { reason: 'LastSubnet', message } };
  }
  const ids = (list: readonly string[]) => [...list].sort().join(', ');
  const fields = [
    ...diffField(
      'subnets',
      ids(found.subnets.map(({ subnetId }) => subnetId)),
      ids(next.map(({ subnet }) => subnet)),
    ),
    ...typeFields,
  ];
  const summary = `Change load balancer ${found.name}: ${describeFields(fields)}`;
  const { ipAddressType } = model;
  const call = { call: 'SetSubnets' as const, name: found.name, mappings: next, ipAddressType };
  return { changes: [{ action: 'Update', resource, summary, fields, ...call }] };
}

/** Addresses that aren't known yet (they come when it's set up) are taken to be right. */
function fits(
  { addresses, allocationIds = [], subnetId }: ObservedLoadBalancer['subnets'][number],
  { allocationId, ipv6Address, privateIPv4Address, subnet }: SubnetMappingModel,
): boolean {
  const has = (known: readonly string[], wanted: string | undefined) =>
    wanted === undefined || known.length === 0 || known.includes(wanted);
  const v4 = addresses.filter((address) => !address.includes(':'));
  const v6 = addresses.filter((address) => address.includes(':'));
  return (
    subnetId === subnet &&
    has(allocationIds, allocationId) &&
    has(v4, privateIPv4Address) &&
    has(v6, ipv6Address)
  );
}

function setType(
  { ipAddressType }: LoadBalancerModel,
  { name }: ObservedLoadBalancer,
  fields: ReturnType<typeof diffField>,
): AwsChange[] {
  if (fields.length === 0) return [];
  const summary = `Change load balancer ${name}: ${describeFields(fields)}`;
  return [{ action: 'Update', resource, summary, fields, call: 'SetIpAddressType', name, ipAddressType }];
}
