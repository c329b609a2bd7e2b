import type { ListenerModel, LoadBalancerModel, TargetGroupModel } from './model.ts';

type Attributes = Readonly<Record<string, string>>;

/**
 * Attributes that Fairlead has a word for, as AWS makes them where nothing is said: nobody else's value of these stays. Any
 * other counts where somebody names it, and is its users' where nobody does.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
 */
const OF_LOAD_BALANCERS: Attributes = {
  'deletion_protection.enabled': 'false',
  'load_balancing.cross_zone.enabled': 'false',
  'access_logs.s3.enabled': 'false',
  'dns_record.client_routing_policy': 'any_availability_zone',
};
/** Where logs go means something while there are any; a bucket is always named then. */
const OF_ACCESS_LOGS: Attributes = { 'access_logs.s3.prefix': '' };

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html */
const OF_TARGET_GROUPS: Attributes = {
  'deregistration_delay.timeout_seconds': '300',
  'proxy_protocol_v2.enabled': 'false',
};
/** Groups of TLS have none. */
const OF_STICKINESS: Attributes = { 'stickiness.enabled': 'false', 'stickiness.type': 'source_ip' };
const CLIENT_ADDRESS = 'preserve_client_ip.enabled';
const TERMINATION = 'deregistration_delay.connection_termination.enabled';

/**
 * Of TCP alone: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ListenerAttribute.html
 */
const OF_LISTENERS: Attributes = { 'tcp.idle_timeout.seconds': '350' };

const NONE: Attributes = {};

/** What attributes somebody else must not change, with the value that AWS gives them. */
export function managedOfLoadBalancer({ attributes }: Pick<LoadBalancerModel, 'attributes'>): Attributes {
  if (attributes['access_logs.s3.enabled'] !== 'true') return OF_LOAD_BALANCERS;
  return { ...OF_LOAD_BALANCERS, ...OF_ACCESS_LOGS };
}

/**
 * The client's address is kept but by groups of addresses over TCP and TLS; what is left of connections at the end of the
 * deregistration delay is cut but with these two:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#client-ip-preservation
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
 */
export function managedOfTargetGroup({
  protocol,
  targetType,
}: Pick<TargetGroupModel, 'protocol' | 'targetType'>): Attributes {
  const isStream = protocol === 'TCP' || protocol === 'TLS';
  return {
    ...OF_TARGET_GROUPS,
    ...(protocol === 'TLS' ? NONE : OF_STICKINESS),
    [CLIENT_ADDRESS]: String(targetType === 'instance' || !isStream),
    [TERMINATION]: String(!isStream),
  };
}

export function managedOfListener({
  protocol,
}: {
  protocol: ListenerModel['protocol'] | string;
}): Attributes {
  return protocol === 'TCP' ? OF_LISTENERS : NONE;
}

/** Every attribute that is compared though nobody names it: what is read of AWS' answers. */
export const MANAGED_ATTRIBUTES: Readonly<Record<'loadBalancer' | 'targetGroup' | 'listener', Set<string>>> =
  {
    loadBalancer: new Set([...Object.keys(OF_LOAD_BALANCERS), ...Object.keys(OF_ACCESS_LOGS)]),
    targetGroup: new Set([
      ...Object.keys(OF_TARGET_GROUPS),
      ...Object.keys(OF_STICKINESS),
      CLIENT_ADDRESS,
      TERMINATION,
    ]),
    listener: new Set(Object.keys(OF_LISTENERS)),
  };
