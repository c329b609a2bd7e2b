import type { IpPermission, SecurityGroup, Subnet } from '@aws-sdk/client-ec2';
import type {
  Listener,
  LoadBalancer,
  TagDescription,
  TargetGroup,
  TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ClassedError } from '../../../kube/errors.ts';
import type {
  ObservedListener,
  ObservedLoadBalancer,
  ObservedSecurityGroup,
  ObservedSubnet,
  ObservedTarget,
} from '../observed.ts';
import { memberByTags } from '../stack-of.ts';
import { OWNER_TAGS } from '../tags.ts';
import type { KnownLoadBalancer, KnownTarget, KnownTargetGroup } from './known.ts';
import { Look } from './look.ts';

/** Tags as AWS writes them, of ELBv2 and EC2 alike. */
interface Tag {
  Key?: string | undefined;
  Value?: string | undefined;
}

/** An answer without a field that AWS promises. */
export function lacks(what: string): ClassedError {
  return new ClassedError(`AWS answers without ${what}.`, { class: 'Transient', reason: 'UnexpectedAnswer' });
}

export function readTags(tags: readonly Tag[] | undefined): Record<string, string> {
  const read: Record<string, string> = {};
  for (const { Key, Value = '' } of tags ?? []) if (Key !== undefined) read[Key] = Value;
  return read;
}

export function writeTags(tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

export function readTagDescriptions(
  descriptions: readonly TagDescription[] | undefined,
): Map<string, Record<string, string>> {
  const read = new Map<string, Record<string, string>>();
  for (const { ResourceArn, Tags } of descriptions ?? []) {
    if (ResourceArn !== undefined) read.set(ResourceArn, readTags(Tags));
  }
  return read;
}

/** `{ Key, Value }` of attributes, as a record. */
export function readAttributes(attributes: readonly Tag[] | undefined): Record<string, string> {
  return readTags(attributes);
}

/** Nothing is known yet of its settings and listeners. */
export function readLoadBalancer(answer: LoadBalancer, tags: Record<string, string>): KnownLoadBalancer {
  const { LoadBalancerArn: arn, LoadBalancerName: name, DNSName: dnsName, VpcId: vpcId } = answer;
  if (arn === undefined || name === undefined) throw lacks("a load balancer's ARN or name");
  return {
    arn,
    name,
    variant: tags[OWNER_TAGS.variant] ?? '',
    dnsName: dnsName ?? '',
    hostedZoneId: answer.CanonicalHostedZoneId,
    ...readState(answer),
    scheme: answer.Scheme ?? '',
    ipAddressType: answer.IpAddressType ?? 'ipv4',
    vpcId: vpcId ?? '',
    subnets: (answer.AvailabilityZones ?? []).map(({ SubnetId, ZoneName, LoadBalancerAddresses }) => ({
      subnetId: SubnetId ?? '',
      zone: ZoneName ?? '',
      addresses: (LoadBalancerAddresses ?? []).flatMap(({ IpAddress, PrivateIPv4Address, IPv6Address }) =>
        [IpAddress ?? PrivateIPv4Address, IPv6Address].filter((address) => address !== undefined),
      ),
      allocationIds: (LoadBalancerAddresses ?? []).flatMap(({ AllocationId }) => AllocationId ?? []),
    })),
    securityGroups: answer.SecurityGroups ?? [],
    tags,
    attributes: undefined,
    listeners: [],
    listenersOf: new Set(),
    waits: false,
    look: new Look({ soon: true }),
  };
}

export function readState({ State }: LoadBalancer): Pick<ObservedLoadBalancer, 'state' | 'stateReason'> {
  const state = State?.Code;
  switch (state) {
    case 'active':
    case 'active_impaired':
    case 'failed':
      return { state, stateReason: State?.Reason };
    default:
      return { state: 'provisioning', stateReason: State?.Reason };
  }
}

/** Nothing is known yet of its attributes and targets. */
export function readTargetGroup(answer: TargetGroup, tags: Record<string, string>): KnownTargetGroup {
  const { TargetGroupArn: arn, TargetGroupName: name } = answer;
  if (arn === undefined || name === undefined) throw lacks("a target group's ARN or name");
  return {
    arn,
    key: tags[OWNER_TAGS.resource] ?? '',
    member: memberByTags(tags) ?? '',
    name,
    protocol: answer.Protocol ?? '',
    port: answer.Port ?? 0,
    targetType: answer.TargetType ?? 'instance',
    ipAddressType: answer.IpAddressType ?? 'ipv4',
    healthCheck: readHealthCheck(answer),
    tags,
    attributes: undefined,
    targets: undefined,
    waits: false,
    look: new Look({ soon: true }),
  };
}

export function readHealthCheck(answer: TargetGroup): KnownTargetGroup['healthCheck'] {
  return {
    protocol: answer.HealthCheckProtocol ?? 'TCP',
    port: answer.HealthCheckPort ?? 'traffic-port',
    path: answer.HealthCheckPath,
    intervalSeconds: answer.HealthCheckIntervalSeconds ?? 0,
    timeoutSeconds: answer.HealthCheckTimeoutSeconds ?? 0,
    healthyThreshold: answer.HealthyThresholdCount ?? 0,
    unhealthyThreshold: answer.UnhealthyThresholdCount ?? 0,
    matcher: answer.Matcher?.HttpCode,
  };
}

/** Its attributes and further certificates come with other calls. */
export function readListener(answer: Listener, tags: Record<string, string>): ObservedListener {
  const [action] = answer.DefaultActions ?? [];
  return {
    arn: answer.ListenerArn,
    key: tags[OWNER_TAGS.resource],
    member: memberByTags(tags),
    port: answer.Port ?? 0,
    protocol: answer.Protocol ?? '',
    certificates: (answer.Certificates ?? []).flatMap(({ CertificateArn }) => CertificateArn ?? []),
    sslPolicy: answer.SslPolicy,
    alpnPolicy: answer.AlpnPolicy?.[0],
    attributes: {},
    targetGroupArn: action?.TargetGroupArn ?? action?.ForwardConfig?.TargetGroups?.[0]?.TargetGroupArn,
    tags,
  };
}

export function readTarget({ Target, TargetHealth }: TargetHealthDescription): ObservedTarget {
  const { State, Reason, Description } = TargetHealth ?? {};
  const words = [Reason, Description].filter((each) => each !== undefined && each !== '').join(': ');
  return {
    id: Target?.Id ?? '',
    port: Target?.Port ?? 0,
    health: readHealth(State),
    reason: words === '' ? undefined : words,
  };
}

function readHealth(state: string | undefined): ObservedTarget['health'] {
  switch (state) {
    case 'initial':
    case 'healthy':
    case 'unhealthy':
    case 'unhealthy.draining':
    case 'unused':
    case 'draining':
      return state;
    default:
      return 'unavailable';
  }
}

/** What was asked of a target stays known: that somebody waits for it. */
export function mergeTargets(
  known: readonly KnownTarget[] | undefined,
  read: readonly ObservedTarget[],
): KnownTarget[] {
  const awaited = new Set((known ?? []).filter((each) => each.awaited).map(targetKey));
  return read.map((target) => ({ ...target, awaited: awaited.has(targetKey(target)) }));
}

export function targetKey({ id, port }: { id: string; port: number }): string {
  return `${id} ${port}`;
}

export function readSecurityGroup(answer: SecurityGroup): ObservedSecurityGroup {
  const { GroupId: id, GroupName: name } = answer;
  if (id === undefined) throw lacks("a security group's id");
  return {
    id,
    name: name ?? '',
    vpcId: answer.VpcId ?? '',
    ingress: (answer.IpPermissions ?? []).flatMap(readPermission),
    tags: readTags(answer.Tags),
  };
}

/** One for each source; in the place of a CIDR may be the id of a security group or of a prefix list. */
export function readPermission(permission: IpPermission): ObservedSecurityGroup['ingress'] {
  const { IpProtocol: protocol = '-1', FromPort: fromPort = -1, ToPort: toPort = -1 } = permission;
  const sources = [
    ...(permission.IpRanges ?? []).map(({ CidrIp }) => CidrIp),
    ...(permission.Ipv6Ranges ?? []).map(({ CidrIpv6 }) => CidrIpv6),
    ...(permission.UserIdGroupPairs ?? []).map(({ GroupId }) => GroupId),
    ...(permission.PrefixListIds ?? []).map(({ PrefixListId }) => PrefixListId),
  ];
  return sources.flatMap((cidr) => (cidr === undefined ? [] : [{ protocol, fromPort, toPort, cidr }]));
}

export function readSubnet(answer: Subnet): ObservedSubnet {
  const tags = readTags(answer.Tags);
  return {
    id: answer.SubnetId ?? '',
    name: tags.Name,
    zone: answer.AvailabilityZone ?? '',
    vpcId: answer.VpcId ?? '',
    availableAddresses: answer.AvailableIpAddressCount ?? 0,
    hasIPv6: (answer.Ipv6CidrBlockAssociationSet ?? []).length > 0,
    cidrs: [
      answer.CidrBlock,
      ...(answer.Ipv6CidrBlockAssociationSet ?? []).map(({ Ipv6CidrBlock }) => Ipv6CidrBlock),
    ].filter((cidr) => cidr !== undefined),
    tags,
  };
}
