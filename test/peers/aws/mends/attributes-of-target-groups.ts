import { AwsError } from '../aws-error.ts';
import type { Mend } from '../mend.ts';
import { keyValues, text, toKeyValues } from '../plain.ts';
import type { TargetGroupView } from '../view.ts';
import { groupOf } from './targets.ts';

const NETWORK_PROTOCOLS: readonly string[] = ['TCP', 'UDP', 'TCP_UDP', 'TLS'];

/**
 * moto gives the attributes of groups for HTTP, and takes any. So those of groups for network load balancers are kept here.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
 */
export const attributesOfTargetGroups: Mend = {
  service: 'elasticloadbalancing',
  before: {
    ModifyTargetGroupAttributes(parameters, context) {
      const group = groupOf(parameters, context);
      if (!NETWORK_PROTOCOLS.includes(group.protocol)) return undefined;
      const changed = keyValues(parameters.Attributes);
      for (const [key, value] of Object.entries(changed)) checkAttribute(group, key, value);
      group.attributes = { ...group.attributes, ...changed };
      return { Attributes: toKeyValues({ ...defaultsOf(group), ...group.attributes }) };
    },
    DescribeTargetGroupAttributes(parameters, context) {
      const group = groupOf(parameters, context);
      if (!NETWORK_PROTOCOLS.includes(group.protocol)) return undefined;
      return { Attributes: toKeyValues({ ...defaultsOf(group), ...group.attributes }) };
    },
  },
};

function defaultsOf({ protocol, targetType }: TargetGroupView): Record<string, string> {
  const datagrams = protocol === 'UDP' || protocol === 'TCP_UDP';
  return {
    'deregistration_delay.connection_termination.enabled': String(datagrams),
    'deregistration_delay.timeout_seconds': '300',
    'load_balancing.cross_zone.enabled': 'use_load_balancer_configuration',
    'preserve_client_ip.enabled': String(datagrams || targetType === 'instance'),
    'proxy_protocol_v2.enabled': 'false',
    'stickiness.enabled': 'false',
    'stickiness.type': 'source_ip',
    'target_group_health.dns_failover.minimum_healthy_targets.count': '1',
    'target_group_health.dns_failover.minimum_healthy_targets.percentage': 'off',
    'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': '1',
    'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': 'off',
    'target_health_state.unhealthy.connection_termination.enabled': 'true',
    'target_health_state.unhealthy.draining_interval_seconds': '0',
  };
}

function checkAttribute(group: TargetGroupView, key: string, value: string): void {
  const { protocol, targetType } = group;
  const current = defaultsOf(group)[key];
  if (current === undefined) {
    throw new AwsError('ValidationError', `Target group attribute key '${key}' is not recognized`);
  }
  const boolean = current === 'true' || current === 'false';
  if (boolean && value !== 'true' && value !== 'false') {
    throw new AwsError('ValidationError', `Target group attribute '${key}' must be one of [true, false]`);
  }
  const delay = Number(value);
  if (
    key === 'deregistration_delay.timeout_seconds' &&
    !(Number.isInteger(delay) && delay >= 0 && delay <= 3600)
  ) {
    throw new AwsError(
      'ValidationError',
      `'${key}' value '${text(value)}' must be between '0-3600' inclusive`,
    );
  }
  const datagrams = protocol === 'UDP' || protocol === 'TCP_UDP';
  if (key === 'preserve_client_ip.enabled' && value === 'false' && datagrams) {
    throw new AwsError(
      'InvalidConfigurationRequest',
      `Client IP preservation can't be disabled for target groups with the ${protocol} protocol and target type ${targetType}`,
    );
  }
  if (key === 'stickiness.enabled' && value === 'true' && protocol === 'TLS') {
    throw new AwsError(
      'InvalidConfigurationRequest',
      'You cannot enable stickiness on target groups with the TLS protocol',
    );
  }
  if (key === 'stickiness.type' && value !== 'source_ip') {
    throw new AwsError(
      'InvalidConfigurationRequest',
      `Stickiness type '${value}' is not supported for target groups with the ${protocol} protocol`,
    );
  }
}
