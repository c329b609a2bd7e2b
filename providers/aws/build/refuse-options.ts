import type { LoadBalancerModel, TargetGroupModel } from '../model.ts';
import { OWNER_TAGS } from '../tags.ts';
import { buildHealthCheck } from './build-health-check.ts';
import type { BuildInput, Refusal } from './build-input.ts';
import { buildPodTargets } from './build-targets.ts';
import type { ListenerChoice } from './choose-listeners.ts';

/** What AWS refuses, or never does as it is asked for: better said before anything is made. */
export function refuseOptions(
  input: BuildInput,
  choices: readonly ListenerChoice[],
  loadBalancer: LoadBalancerModel,
  targetGroups: readonly TargetGroupModel[],
): Refusal[] {
  return [
    ...refuseFamilies(choices, loadBalancer, targetGroups),
    ...refuseTls(input, choices),
    ...refusePodPorts(input, choices),
    ...refuseHealthCheck(input),
    ...refuseAddresses(input, loadBalancer),
    ...refuseNames(input),
    ...refuseTags(input),
  ];
}

/**
 * UDP of a dualstack load balancer needs a prefix for source NAT in each subnet (EnablePrefixForIpv6SourceNat), which isn't managed here:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#ip-address-type
 */
function refuseFamilies(
  choices: readonly ListenerChoice[],
  { ipAddressType }: LoadBalancerModel,
  targetGroups: readonly TargetGroupModel[],
): Refusal[] {
  if (ipAddressType === 'ipv4') {
    if (!targetGroups.some((group) => group.ipAddressType === 'ipv6')) return [];
    const message =
      'Its pods have IPv6 addresses, and only a dualstack load balancer reaches these: take ipAddressType: ipv4 away.';
    return [{ reason: 'NoIPv4Targets', message }];
  }
  const ports = choices.filter(({ protocol }) => protocol === 'UDP' || protocol === 'TCP_UDP');
  if (ports.length === 0) return [];
  const message = `UDP (port ${ports.map(({ port }) => port).join(', ')}) isn't served by a dualstack load balancer: set ipAddressType to ipv4, or have ipFamilies of IPv4 alone.`;
  return [{ reason: 'UDPNeedsIPv4', message }];
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html#sticky-sessions */
function refuseTls({ own }: BuildInput, choices: readonly ListenerChoice[]): Refusal[] {
  const { tls } = own.options;
  const refusals: Refusal[] = [];
  const wanted = own.spec.aws?.tls?.ports === undefined ? [] : (tls?.ports ?? []);
  const isThere = (port: string) =>
    (own.spec.frontends ?? []).some((each) => each.name === port || String(each.port) === port);
  const unknown = wanted.filter((port) => !isThere(port));
  if (unknown.length > 0) {
    const message = `The Service has no port "${unknown.join('", "')}" to end TLS at: correct tls.ports.`;
    refusals.push({ reason: 'TLSPortNotFound', message });
  }
  const mixed = choices.filter(
    ({ frontend: { name }, port, protocol }) =>
      protocol === 'TCP_UDP' && (tls?.ports ?? []).some((each) => each === name || each === String(port)),
  );
  if (mixed.length > 0) {
    const message = `Port ${mixed.map(({ port }) => port).join(', ')} is of TCP and UDP, and one of both can't end TLS: take it from tls.ports.`;
    refusals.push({ reason: 'TLSWithUDP', message });
  }
  const ended = choices.filter(({ protocol }) => protocol === 'TLS');
  if (ended.length > 0 && own.spec.sessionAffinitySeconds !== undefined) {
    const message = `Port ${ended.map(({ port }) => port).join(', ')} ends TLS, and AWS has no sessionAffinity for that: set it to None, or let the pods end TLS.`;
    refusals.push({ reason: 'AffinityWithTLS', message });
  }
  return refusals;
}

/** One target has one port, for TCP and UDP alike. */
function refusePodPorts(input: BuildInput, choices: readonly ListenerChoice[]): Refusal[] {
  const differing = choices.filter((choice) => {
    if (choice.protocol !== 'TCP_UDP' || choice.nodePort !== undefined) return false;
    const ports = (['TCP', 'UDP'] as const).map((protocol) => {
      const of = { ...choice, frontend: { ...choice.frontend, protocol } };
      const targets = [...buildPodTargets(input, of, 'ipv4'), ...buildPodTargets(input, of, 'ipv6')];
      return targets.map(({ id, port }) => `${id} ${port}`).join();
    });
    return ports[0] !== ports[1];
  });
  if (differing.length === 0) return [];
  const message = `TCP and UDP of port ${differing.map(({ port }) => port).join(', ')} lead to different ports of the pods, and a Network Load Balancer has one for both: give them the same targetPort.`;
  return [{ reason: 'TargetPortsDiffer', message }];
}

function refuseHealthCheck({ own }: BuildInput): Refusal[] {
  const { intervalSeconds, timeoutSeconds } = buildHealthCheck(own, 'TCP');
  if (timeoutSeconds < intervalSeconds) return [];
  const message = `healthCheck.timeoutSeconds is ${timeoutSeconds}, and has to be less than intervalSeconds, ${intervalSeconds}.`;
  return [{ reason: 'HealthCheckTimeout', message }];
}

/** Of the one that leads: none of those that share may make what it can't have. */
function refuseAddresses({ leader }: BuildInput, { ipAddressType, scheme }: LoadBalancerModel): Refusal[] {
  const { elasticIPs = [], ipv6Addresses = [], privateAddresses = [], subnets } = leader.options;
  const refusals: Refusal[] = [];
  for (const [what, given] of Object.entries({ elasticIPs, privateAddresses, ipv6Addresses })) {
    if (subnets === undefined || given.length === 0 || given.length === subnets.length) continue;
    const message = `${given.length} ${what} are given for ${subnets.length} subnets: give one for each.`;
    refusals.push({ reason: 'AddressCountMismatch', message });
  }
  if (elasticIPs.length > 0 && scheme === 'internal') {
    const message =
      'elasticIPs are for a public load balancer, this one is internal: take them away, or set scheme Public.';
    refusals.push({ reason: 'ElasticIPsNeedPublic', message });
  }
  if (privateAddresses.length > 0 && scheme === 'internet-facing') {
    const message =
      'privateAddresses are for an internal load balancer, this one is public: take them away, or set scheme Internal.';
    refusals.push({ reason: 'PrivateAddressesNeedInternal', message });
  }
  if (ipv6Addresses.length > 0 && ipAddressType === 'ipv4') {
    const message = 'ipv6Addresses are for a dualstack load balancer: set ipAddressType to dualstack.';
    refusals.push({ reason: 'IPv6AddressesNeedDualstack', message });
  }
  return refusals;
}

function refuseNames({ own: { options } }: BuildInput): Refusal[] {
  const { adopt, name } = options;
  const adopted = adopt?.arn.split('/')[2];
  if (adopt === undefined || name === undefined || name === adopted) return [];
  const message = `The load balancer to adopt is named ${adopted ?? adopt.arn}, and AWS can't change that: take the name ${name} away.`;
  return [{ reason: 'AdoptableDiffers', message }];
}

function refuseTags({ own: { spec } }: BuildInput): Refusal[] {
  const reserved: string[] = Object.values(OWNER_TAGS);
  const bad = Object.keys(spec.aws?.tags ?? {}).filter(
    (key) => reserved.includes(key) || key.startsWith('aws:'),
  );
  if (bad.length === 0) return [];
  return [
    { reason: 'ReservedTags', message: `The tags ${bad.join(', ')} are set by others: take them away.` },
  ];
}
