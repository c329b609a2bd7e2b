import type {
  AvailabilityZone,
  CreateLoadBalancerCommandInput,
  LoadBalancer,
  SubnetMapping,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { isClass } from '../../../kube/errors.ts';
import type { SubnetMappingModel } from '../model.ts';
import type { KnownLoadBalancer } from '../observe/known.ts';
import { Look } from '../observe/look.ts';
import { lacks, readLoadBalancer, writeTags } from '../observe/read-answers.ts';
import { readListeners, readLoadBalancerAttributes } from '../observe/read-details.ts';
import { readTagsOf } from '../observe/read-tags.ts';
import { explainSubnets } from './explain-subnets.ts';
import { ensureSharedGroup } from './shared-group.ts';
import type { ChangeOf, StackWriter } from './stack-writer.ts';

/** One that is older than this wasn't made by the call that answers with it. */
const MADE_NOW_MS = 60_000;

/** With a name that is used, AWS answers with that one when its settings are the same, and with an error otherwise. */
export async function createLoadBalancer(
  writer: StackWriter,
  { loadBalancer: model, mappings, withManagedSecurityGroup }: ChangeOf<'CreateLoadBalancer'>,
): Promise<void> {
  if (writer.findLoadBalancer(model.name) !== undefined) return;
  const groups = await groupsOf(writer, model.securityGroups, withManagedSecurityGroup);
  const input: CreateLoadBalancerCommandInput = {
    Name: model.name,
    Type: 'network',
    Scheme: model.scheme,
    IpAddressType: model.ipAddressType,
    ...writeMappings(mappings),
    ...(groups.length === 0 ? {} : { SecurityGroups: groups }),
    Tags: writeTags(model.tags),
  };
  const calledAt = Date.now();
  try {
    const { LoadBalancers: [answer] = [] } = await writer.call('CreateLoadBalancer', input);
    if (answer === undefined) throw lacks('the load balancer that was made');
    if (answer.CreatedTime !== undefined && answer.CreatedTime.getTime() < calledAt - MADE_NOW_MS) {
      await takeExisting(writer, answer);
      return;
    }
    remember(writer, {
      ...readLoadBalancer(answer, { ...model.tags }),
      attributes: {},
      listenersOf: 'all',
      look: new Look({ soon: false, firstSeconds: writer.inventory.firstLookSeconds }),
    });
  } catch (error) {
    if (!isClass(error, 'Conflict')) throw await explainSubnets(writer, mappings, error);
    const { LoadBalancers: [answer] = [] } = await writer.call('DescribeLoadBalancers', {
      Names: [model.name],
    });
    if (answer === undefined) throw lacks(`load balancer ${model.name}`);
    await takeExisting(writer, answer);
  }
}

/** Takes one that was made earlier for this stack; what differs is seen by the next plan. */
async function takeExisting(writer: StackWriter, answer: LoadBalancer): Promise<void> {
  const { calls } = writer.inventory;
  const arn = answer.LoadBalancerArn ?? '';
  const tags = (await readTagsOf(calls, [arn], writer.context)).get(arn) ?? {};
  writer.checkOurs(`a load balancer ${answer.LoadBalancerName}`, tags);
  const known = readLoadBalancer(answer, tags);
  const listeners = await readListeners(calls, [known], writer.context);
  const attributes = await readLoadBalancerAttributes(calls, known, writer.context);
  remember(writer, { ...known, attributes, listeners: listeners.get(arn) ?? [], listenersOf: 'all' });
}

function remember(writer: StackWriter, made: KnownLoadBalancer): void {
  writer.wrote((stack) => {
    stack.loadBalancers = [...stack.loadBalancers.filter(({ arn }) => arn !== made.arn), made];
  });
}

export async function modifyLoadBalancerAttributes(
  writer: StackWriter,
  { name, attributes }: ChangeOf<'ModifyLoadBalancerAttributes'>,
): Promise<void> {
  const { arn } = writer.loadBalancer(name);
  await writer.call('ModifyLoadBalancerAttributes', {
    LoadBalancerArn: arn,
    Attributes: writeTags(attributes),
  });
  writer.wrote(() => {
    const known = writer.loadBalancer(name);
    known.attributes = { ...known.attributes, ...attributes };
  });
}

export async function setSubnets(
  writer: StackWriter,
  { name, mappings, ipAddressType }: ChangeOf<'SetSubnets'>,
): Promise<void> {
  const { arn } = writer.loadBalancer(name);
  const input = {
    LoadBalancerArn: arn,
    IpAddressType: readIpAddressType(ipAddressType),
    ...writeMappings(mappings),
  };
  const answer = await writer.call('SetSubnets', input).catch(async (error: unknown) => {
    throw await explainSubnets(writer, mappings, error);
  });
  writer.wrote(() => {
    const known = writer.loadBalancer(name);
    known.subnets = readZones(answer.AvailabilityZones) ?? mappings.map(asSubnet);
    known.ipAddressType = answer.IpAddressType ?? ipAddressType;
    // The addresses in new subnets come when it's provisioned there.
    known.waits = true;
    known.look.restart(writer.inventory.firstLookSeconds);
  });
}

export async function setSecurityGroups(
  writer: StackWriter,
  { name, securityGroups, withManagedSecurityGroup }: ChangeOf<'SetSecurityGroups'>,
): Promise<void> {
  const { arn } = writer.loadBalancer(name);
  const groups = await groupsOf(writer, securityGroups, withManagedSecurityGroup);
  const answer = await writer.call('SetSecurityGroups', { LoadBalancerArn: arn, SecurityGroups: groups });
  writer.wrote(() => {
    writer.loadBalancer(name).securityGroups = answer.SecurityGroupIds ?? groups;
  });
}

export async function setIpAddressType(
  writer: StackWriter,
  { name, ipAddressType }: ChangeOf<'SetIpAddressType'>,
): Promise<void> {
  const { arn } = writer.loadBalancer(name);
  const input = { LoadBalancerArn: arn, IpAddressType: readIpAddressType(ipAddressType) };
  const answer = await writer.call('SetIpAddressType', input);
  writer.wrote(() => {
    writer.loadBalancer(name).ipAddressType = answer.IpAddressType ?? ipAddressType;
  });
}

/** Takes its listeners with it. Done twice, it succeeds. */
export async function deleteLoadBalancer(
  writer: StackWriter,
  { name }: ChangeOf<'DeleteLoadBalancer'>,
): Promise<void> {
  const known = writer.findLoadBalancer(name);
  if (known === undefined) return;
  try {
    await writer.call('DeleteLoadBalancer', { LoadBalancerArn: known.arn });
  } catch (error) {
    if (!isClass(error, 'NotFound')) throw error;
  }
  writer.wrote((stack) => {
    stack.loadBalancers = stack.loadBalancers.filter(({ arn }) => arn !== known.arn);
  });
}

/** The managed group, and with it the one that nodes let in. */
async function groupsOf(
  writer: StackWriter,
  given: readonly string[],
  withManaged: boolean,
): Promise<string[]> {
  const { groupNames } = writer.inventory;
  const ids = await Promise.all(given.map((each) => groupNames.resolve(each, writer.context)));
  if (!withManaged) return ids;
  const managed = writer.securityGroup();
  const shared = await ensureSharedGroup(writer, managed.vpcId);
  return [...ids, managed.id, shared.id];
}

/** SubnetMappings are for addresses; without any, plain subnets do. */
function writeMappings(
  mappings: readonly SubnetMappingModel[],
): { SubnetMappings: SubnetMapping[] } | { Subnets: string[] } {
  if (!mappings.some(hasAddress)) return { Subnets: mappings.map(({ subnet }) => subnet) };
  return {
    SubnetMappings: mappings.map(({ subnet, allocationId, ipv6Address, privateIPv4Address }) => ({
      SubnetId: subnet,
      ...(allocationId === undefined ? {} : { AllocationId: allocationId }),
      ...(privateIPv4Address === undefined ? {} : { PrivateIPv4Address: privateIPv4Address }),
      ...(ipv6Address === undefined ? {} : { IPv6Address: ipv6Address }),
    })),
  };
}

function hasAddress({ allocationId, ipv6Address, privateIPv4Address }: SubnetMappingModel): boolean {
  return (allocationId ?? privateIPv4Address ?? ipv6Address) !== undefined;
}

function readZones(zones: AvailabilityZone[] | undefined): KnownLoadBalancer['subnets'] | undefined {
  if (zones === undefined || zones.length === 0) return undefined;
  return readLoadBalancer({ LoadBalancerArn: '', LoadBalancerName: '', AvailabilityZones: zones }, {})
    .subnets;
}

function asSubnet({ subnet }: SubnetMappingModel): KnownLoadBalancer['subnets'][number] {
  return { subnetId: subnet, zone: '', addresses: [] };
}

function readIpAddressType(type: string): 'ipv4' | 'dualstack' {
  return type === 'dualstack' ? 'dualstack' : 'ipv4';
}
