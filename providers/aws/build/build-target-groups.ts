import type { LoadBalancerModel, TargetGroupModel } from '../model.ts';
import { buildHealthCheck } from './build-health-check.ts';
import type { BuildInput } from './build-input.ts';
import { buildMemberTags } from './build-tags.ts';
import { buildInstanceTargets, buildPodTargets } from './build-targets.ts';
import type { ListenerChoice } from './choose-listeners.ts';
import { nameResource } from './name-resources.ts';

/** One for each listener: a target group belongs to one load balancer only. */
export function buildTargetGroups(
  input: BuildInput,
  choices: readonly ListenerChoice[],
  { isNamed, name: loadBalancer, variant }: Pick<LoadBalancerModel, 'isNamed' | 'name' | 'variant'>,
): TargetGroupModel[] {
  const { desired, own, stack } = input;
  const targetType = own.spec.targets.mode === 'Pod' ? 'ip' : 'instance';
  const ipAddressType = targetType === 'ip' && own.spec.ipFamilies?.[0] === 'IPv6' ? 'ipv6' : 'ipv4';
  return choices.map((choice) => {
    const { key, nodePort, port: frontendPort } = choice;
    const protocol =
      choice.protocol === 'TLS' ? (own.options.tls?.backendProtocol ?? 'TCP') : choice.protocol;
    // Pods are registered each with a port of their own: this one is only a default.
    const port = nodePort ?? frontendPort;
    const identity = [
      desired.id.clusterId,
      stack,
      own.name,
      own.id.serviceUid,
      key,
      variant,
      isNamed ? loadBalancer : '',
    ];
    const fixed = [protocol, port, targetType, ipAddressType];
    return {
      key,
      name: nameResource(`${own.spec.service.name}-${frontendPort}`, [...identity, ...fixed]),
      protocol,
      port,
      targetType,
      ipAddressType,
      healthCheck: buildHealthCheck(own, protocol),
      attributes: buildAttributes(input, protocol),
      targets:
        nodePort === undefined
          ? buildPodTargets(input, choice, ipAddressType)
          : buildInstanceTargets(input, nodePort),
      tags: buildMemberTags(input, own, key),
    };
  });
}

/**
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html#target-group-attributes
 */
function buildAttributes(
  { own }: BuildInput,
  protocol: TargetGroupModel['protocol'],
): Record<string, string> {
  const { sessionAffinitySeconds, targets } = own.spec;
  return {
    'deregistration_delay.timeout_seconds': String(targets.drainSeconds),
    // AWS has no time-out for it; target groups of TLS know no stickiness.
    ...(protocol === 'TLS'
      ? {}
      : {
          'stickiness.enabled': String(sessionAffinitySeconds !== undefined),
          'stickiness.type': 'source_ip',
        }),
    ...own.options.targetGroupAttributes,
  };
}
