import { mergePorts } from '../apply/merge-ports.ts';
import type { SecurityGroupPorts } from '../model.ts';
import { buildHealthCheck } from './build-health-check.ts';
import type { BuildInput, BuildMember } from './build-input.ts';
import { buildPodTargets } from './build-targets.ts';
import { chooseListeners, type ListenerChoice, protocolsOf } from './choose-listeners.ts';
import { acceptedMembers } from './refuse-sharing.ts';

/** What the load balancer has to reach on nodes or pods: their ports, and those of health checks, for all that share it. */
export function buildBackendPorts(input: BuildInput): SecurityGroupPorts[] {
  return mergePorts(
    acceptedMembers(input).flatMap((member) => portsOf(input, member)),
    Number.POSITIVE_INFINITY,
  );
}

function portsOf(input: BuildInput, member: BuildMember): SecurityGroupPorts[] {
  return chooseListeners(member).choices.flatMap((choice) => {
    const traffic = rangesOf(input, choice).flatMap((range) =>
      protocolsOf(choice.protocol).map((protocol): SecurityGroupPorts => ({ protocol, ...range })),
    );
    return [...traffic, ...healthPorts(member, choice, traffic)];
  });
}

function healthPorts(
  member: BuildMember,
  { protocol }: ListenerChoice,
  traffic: readonly SecurityGroupPorts[],
): SecurityGroupPorts[] {
  const { port } = buildHealthCheck(member, protocol);
  if (port === 'traffic-port') return traffic.map((ports) => ({ ...ports, protocol: 'tcp' }));
  return [{ protocol: 'tcp', fromPort: Number(port), toPort: Number(port) }];
}

type Range = Pick<SecurityGroupPorts, 'fromPort' | 'toPort'>;

/** Of those that share, each knows only its own pods: all say the same, or they would undo what the others do. */
function rangesOf(input: BuildInput, choice: ListenerChoice): Range[] {
  if (choice.nodePort !== undefined) return [{ fromPort: choice.nodePort, toPort: choice.nodePort }];
  if (input.desired.sharedAddress !== undefined) return [{ fromPort: 1, toPort: 65_535 }];
  const targets = [...buildPodTargets(input, choice, 'ipv4'), ...buildPodTargets(input, choice, 'ipv6')];
  return [...new Set(targets.map(({ port }) => port))].map((port) => ({ fromPort: port, toPort: port }));
}
