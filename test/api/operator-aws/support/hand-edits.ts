import type { AwsModel, ListenerModel, TargetGroupModel } from '../../../../providers/aws/model.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import type { AwsPeer } from '../../../peers/aws/aws-peer.ts';
import { objects, type PlainObject, text } from '../../../peers/aws/plain.ts';
import type { SeededNetwork } from '../../../peers/aws/seed-network.ts';

/** What somebody does at AWS, and what is told of it. */
export interface HandEdit {
  /** The fields of the model that it is about, as `fieldsOf` names them. */
  of: string[];
  /** Parts of the condition's message: the field, what was expected, what was found. */
  told: string[];
  make(): Promise<unknown>;
}

/** Things of one load balancer, by what AWS calls them. */
export interface Found {
  peer: AwsPeer;
  network: SeededNetwork;
  model: AwsModel;
  loadBalancer: string;
  securityGroup: string;
  sharedGroup: string;
  certificate: string;
  listenerArn(port: number): string;
  targetGroupArn(key: string): string;
}

/** Whose something is. What lost one of these is somebody else's from then on, and isn't touched. */
export const OWNERSHIP: readonly string[] = [OWNER_TAGS.cluster, OWNER_TAGS.stack];

const expected = (resource: string, field: string, wanted: string, found: string) =>
  `${resource} ${field}: expected ${wanted}, found ${found}`;

/** Edits that may be made together, in the order of what depends on what. */
export function handEdits(found: Found): HandEdit[][] {
  return [
    [...editLoadBalancerAttributes(found), editTags(found, 'LoadBalancer')],
    [...editTargetGroup(found), editTags(found, 'TargetGroup')],
    [...editHealthCheck(found), ...editTargets(found)],
    [...editListeners(found), editTags(found, 'Listener')],
    [...editRules(found), editTags(found, 'SecurityGroup')],
    [...editPlace(found)],
    [editAddresses(found)],
    [deleteListener(found)],
  ];
}

const OTHER_ATTRIBUTES: Readonly<Record<string, string>> = {
  'access_logs.s3.bucket': 'somebody',
  'access_logs.s3.enabled': 'false',
  'access_logs.s3.prefix': 'elsewhere',
  'deletion_protection.enabled': 'true',
  'deregistration_delay.connection_termination.enabled': 'true',
  'deregistration_delay.timeout_seconds': '77',
  'dns_record.client_routing_policy': 'availability_zone_affinity',
  'load_balancing.cross_zone.enabled': 'true',
  'preserve_client_ip.enabled': 'false',
  'proxy_protocol_v2.enabled': 'true',
  'stickiness.enabled': 'true',
  'tcp.idle_timeout.seconds': '99',
};

const asList = (values: Readonly<Record<string, string>>): PlainObject[] =>
  Object.entries(values).map(([Key, Value]) => ({ Key, Value }));

function editAttributes(
  of: string,
  resource: string,
  wanted: Readonly<Record<string, string>>,
  change: (Attributes: PlainObject[]) => Promise<unknown>,
): HandEdit[] {
  const entries = Object.entries(wanted);
  const other = Object.fromEntries(entries.map(([key]) => [key, OTHER_ATTRIBUTES[key] ?? '']));
  return [
    {
      of: entries.map(([key]) => `${of}.attributes.${key}`),
      told: entries.map(([key, value]) =>
        expected(resource, `attributes.${key}`, value || '(none)', other[key] ?? ''),
      ),
      make: () => change(asList(other)),
    },
  ];
}

function editLoadBalancerAttributes({ loadBalancer, peer }: Found): HandEdit[] {
  const wanted = {
    'access_logs.s3.bucket': 'logs',
    'access_logs.s3.enabled': 'true',
    'access_logs.s3.prefix': '',
    'deletion_protection.enabled': 'false',
    'dns_record.client_routing_policy': 'any_availability_zone',
    'load_balancing.cross_zone.enabled': 'false',
  };
  return editAttributes('loadBalancer', 'LoadBalancer', wanted, (Attributes) =>
    peer.elb('ModifyLoadBalancerAttributes', { LoadBalancerArn: loadBalancer, Attributes }),
  );
}

function first<T>(list: readonly T[]): T {
  const [found] = list;
  if (found === undefined) throw new Error('the model has one');
  return found;
}

const plain = (model: AwsModel): { listener: ListenerModel; group: TargetGroupModel } => {
  const listener = first(model.listeners.filter(({ protocol }) => protocol === 'TCP'));
  return { listener, group: first(model.targetGroups.filter(({ key }) => key === listener.targetGroup)) };
};
const overTls = (model: AwsModel) => first(model.listeners.filter(({ protocol }) => protocol === 'TLS'));

/** AWS takes but one type of stickiness from groups of network load balancers: `stickiness.type` has nothing to be edited to. */
function editTargetGroup({ model, peer, targetGroupArn }: Found): HandEdit[] {
  const wanted = {
    'deregistration_delay.connection_termination.enabled': 'false',
    'deregistration_delay.timeout_seconds': '0',
    'preserve_client_ip.enabled': 'true',
    'proxy_protocol_v2.enabled': 'false',
    'stickiness.enabled': 'false',
  };
  return editAttributes('targetGroups[]', 'TargetGroup', wanted, (Attributes) =>
    peer.elb('ModifyTargetGroupAttributes', {
      TargetGroupArn: targetGroupArn(plain(model).group.key),
      Attributes,
    }),
  );
}

function editHealthCheck({ model, peer, targetGroupArn }: Found): HandEdit[] {
  const { healthCheck, key } = plain(model).group;
  const tell = (field: string, wanted: string | number | undefined, found: string) =>
    expected('TargetGroup', `healthCheck.${field}`, String(wanted), found);
  return [
    {
      of: [
        'protocol',
        'port',
        'path',
        'intervalSeconds',
        'timeoutSeconds',
        'healthyThreshold',
        'unhealthyThreshold',
        'matcher',
      ].map((each) => `targetGroups[].healthCheck.${each}`),
      told: [
        tell('protocol', healthCheck.protocol, 'HTTPS'),
        tell('port', healthCheck.port, '999'),
        tell('path', healthCheck.path, '/other'),
        tell('intervalSeconds', healthCheck.intervalSeconds, '33'),
        tell('timeoutSeconds', healthCheck.timeoutSeconds, '22'),
        tell('healthyThreshold', healthCheck.healthyThreshold, '7'),
        tell('unhealthyThreshold', healthCheck.unhealthyThreshold, '8'),
        tell('successCodes', healthCheck.matcher, '204'),
      ],
      make: () =>
        peer.elb('ModifyTargetGroup', {
          TargetGroupArn: targetGroupArn(key),
          HealthCheckProtocol: 'HTTPS',
          HealthCheckPort: '999',
          HealthCheckPath: '/other',
          HealthCheckIntervalSeconds: '33',
          HealthCheckTimeoutSeconds: '22',
          HealthyThresholdCount: '7',
          UnhealthyThresholdCount: '8',
          Matcher: { HttpCode: '204' },
        }),
    },
  ];
}

function editTargets({ model, network, peer, targetGroupArn }: Found): HandEdit[] {
  const { group } = plain(model);
  const TargetGroupArn = targetGroupArn(group.key);
  const { id, port } = first(group.targets);
  const other = network.instances.at(-1)?.id ?? '';
  return [
    {
      of: ['targetGroups[].targets[].id', 'targetGroups[].targets[].port'],
      told: [expected('Target', `targets.${group.name}`, `${id}:${port}`, '(none)')],
      make: () =>
        peer.elb('DeregisterTargets', { TargetGroupArn, Targets: [{ Id: id, Port: String(port) }] }),
    },
    {
      of: ['targetGroups[].targets[].id', 'targetGroups[].targets[].port'],
      told: [expected('Target', `targets.${group.name}`, '(none)', `${other}:4444`)],
      make: () => peer.elb('RegisterTargets', { TargetGroupArn, Targets: [{ Id: other, Port: '4444' }] }),
    },
  ];
}

function editListeners({ certificate, listenerArn, model, peer, targetGroupArn }: Found): HandEdit[] {
  const tls = overTls(model);
  const { group, listener } = plain(model);
  const former = first(model.targetGroups.filter(({ key }) => key === tls.targetGroup)).name;
  return [
    ...editAttributes(
      'listeners[]',
      'Listener',
      { 'tcp.idle_timeout.seconds': '350' },
      async (Attributes) =>
        await peer.elb('ModifyListenerAttributes', { ListenerArn: listenerArn(listener.port), Attributes }),
    ),
    {
      of: ['certificates[]', 'sslPolicy', 'alpnPolicy', 'targetGroup'].map((each) => `listeners[].${each}`),
      told: [
        `Listener certificates: expected ${tls.certificates.join(', ')}, found ${certificate}`,
        expected('Listener', 'sslPolicy', tls.sslPolicy ?? '', 'ELBSecurityPolicy-TLS-1-2-2017-01'),
        expected('Listener', 'alpnPolicy', tls.alpnPolicy ?? '', 'HTTP2Only'),
        expected('Listener', 'targetGroup', former, group.name),
      ],
      make: () =>
        peer.elb('ModifyListener', {
          ListenerArn: listenerArn(tls.port),
          SslPolicy: 'ELBSecurityPolicy-TLS-1-2-2017-01',
          AlpnPolicy: ['HTTP2Only'],
          Certificates: [{ CertificateArn: certificate }],
          DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn(group.key) }],
        }),
    },
  ];
}

/** Each tag of one thing, but for those that say whose it is. */
function editTags(
  found: Found,
  resource: 'LoadBalancer' | 'TargetGroup' | 'Listener' | 'SecurityGroup',
): HandEdit {
  const { listenerArn, loadBalancer, model, peer, securityGroup, targetGroupArn } = found;
  const { group, listener } = plain(model);
  const things = {
    LoadBalancer: { of: 'loadBalancer', tags: model.loadBalancer.tags, arn: loadBalancer },
    TargetGroup: { of: 'targetGroups[]', tags: group.tags, arn: targetGroupArn(group.key) },
    Listener: { of: 'listeners[]', tags: listener.tags, arn: listenerArn(listener.port) },
    SecurityGroup: { of: 'securityGroup', tags: model.securityGroup?.tags ?? {}, arn: securityGroup },
  };
  const { arn, of, tags } = things[resource];
  const keys = Object.keys(tags).filter((key) => !OWNERSHIP.includes(key));
  const other = asList(Object.fromEntries(keys.map((key) => [key, 'edited'])));
  return {
    of: keys.map((key) => `${of}.tags.${key}`),
    told: keys.map((key) => expected(resource, `tags.${key}`, tags[key] ?? '', 'edited')),
    make: () =>
      resource === 'SecurityGroup'
        ? peer.ec2('CreateTags', { ResourceId: [arn], Tag: other })
        : peer.elb('AddTags', { ResourceArns: [arn], Tags: other }),
  };
}

const rule = (port: number, source: PlainObject): PlainObject[] => [
  { IpProtocol: 'tcp', FromPort: String(port), ToPort: String(port), ...source },
];
const everybody = { IpRanges: [{ CidrIp: '0.0.0.0/0' }] };

function editRules({ model, network, peer, securityGroup, sharedGroup }: Found): HandEdit[] {
  const change = (operation: 'Authorize' | 'Revoke', GroupId: string, IpPermissions: PlainObject[]) =>
    peer.ec2(`${operation}SecurityGroupIngress`, { GroupId, IpPermissions });
  const clients = first(model.securityGroup?.ingress ?? []);
  const ports = model.securityGroup?.backend?.ports ?? [];
  const all = ports.map(({ fromPort, protocol }) => `${protocol} ${fromPort}`).sort();
  const gone = first(ports);
  const Groups = [
    {
      GroupId: sharedGroup,
      Description: `fairlead.dev/cluster=${model.loadBalancer.tags[OWNER_TAGS.cluster]}`,
    },
  ];
  const rest = all.filter((each) => each !== `${gone.protocol} ${gone.fromPort}`).join(', ');
  return [
    {
      of: ['protocol', 'fromPort', 'toPort', 'cidr'].map((each) => `securityGroup.ingress[].${each}`),
      told: [
        expected('SecurityGroup', 'ingress', `${clients.cidr} to tcp ${clients.fromPort}`, '(none)'),
        expected('SecurityGroup', 'ingress', '(none)', '0.0.0.0/0 to tcp 22'),
      ],
      make: async () => {
        await change(
          'Revoke',
          securityGroup,
          rule(clients.fromPort, { IpRanges: [{ CidrIp: clients.cidr, Description: clients.description }] }),
        );
        await change('Authorize', securityGroup, rule(22, everybody));
      },
    },
    {
      of: [],
      told: [expected('SecurityGroup', 'shared.ingress', '(none)', '0.0.0.0/0 to tcp 23')],
      make: () => change('Authorize', sharedGroup, rule(23, everybody)),
    },
    {
      of: ['protocol', 'fromPort', 'toPort'].map((each) => `securityGroup.backend.ports[].${each}`),
      told: [expected('SecurityGroupRule', 'ports', all.join(', '), rest)],
      make: () => change('Revoke', network.securityGroupId, rule(gone.fromPort, { Groups })),
    },
  ];
}

/** Security groups and zones. */
function editPlace({ loadBalancer, network, peer, sharedGroup }: Found): HandEdit[] {
  const subnets = network.publicSubnets.map(({ id }) => id).sort();
  const [one = ''] = subnets;
  return [
    {
      of: ['loadBalancer.securityGroups'],
      told: [`LoadBalancer securityGroups: expected `, `found ${network.securityGroupId}`],
      make: () =>
        peer.elb('SetSecurityGroups', {
          LoadBalancerArn: loadBalancer,
          SecurityGroups: [network.securityGroupId, sharedGroup],
        }),
    },
    {
      of: ['loadBalancer.subnets'],
      told: [expected('LoadBalancer', 'subnets', subnets.join(', '), one)],
      make: () => peer.elb('SetSubnets', { LoadBalancerArn: loadBalancer, Subnets: [one] }),
    },
  ];
}

function editAddresses({ loadBalancer, peer }: Found): HandEdit {
  return {
    of: ['loadBalancer.ipAddressType'],
    told: [expected('LoadBalancer', 'ipAddressType', 'ipv4', 'dualstack')],
    make: () => peer.elb('SetIpAddressType', { LoadBalancerArn: loadBalancer, IpAddressType: 'dualstack' }),
  };
}

function deleteListener({ listenerArn, model, peer }: Found): HandEdit {
  const { listener } = plain(model);
  return {
    of: ['listeners[].port', 'listeners[].protocol'],
    told: [expected('Listener', 'listeners', `TCP ${listener.port}`, '(none)')],
    make: () => peer.elb('DeleteListener', { ListenerArn: listenerArn(listener.port) }),
  };
}

/** What the things of a load balancer are called now. */
export async function find(
  peer: AwsPeer,
  network: SeededNetwork,
  model: AwsModel,
  certificate: string,
): Promise<Found> {
  const [loadBalancer] = objects((await peer.elb('DescribeLoadBalancers')).LoadBalancers);
  const LoadBalancerArn = text(loadBalancer?.LoadBalancerArn);
  const listeners = objects((await peer.elb('DescribeListeners', { LoadBalancerArn })).Listeners);
  const targetGroups = objects((await peer.elb('DescribeTargetGroups')).TargetGroups);
  const groups = objects((await peer.ec2('DescribeSecurityGroups')).securityGroupInfo);
  const groupNamed = (name: string) =>
    text(groups.find(({ groupName }) => text(groupName).startsWith(name))?.groupId);
  return {
    peer,
    network,
    model,
    loadBalancer: LoadBalancerArn,
    securityGroup: groupNamed(model.securityGroup?.name ?? '?'),
    sharedGroup: groupNamed('fairlead-shared'),
    certificate,
    listenerArn: (port) => text(listeners.find(({ Port }) => text(Port) === String(port))?.ListenerArn),
    targetGroupArn: (key) => {
      const name = model.targetGroups.find((each) => each.key === key)?.name;
      return text(targetGroups.find(({ TargetGroupName }) => text(TargetGroupName) === name)?.TargetGroupArn);
    },
  };
}
