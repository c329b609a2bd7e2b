import type { Frontend } from '../../../crds/load-balancer.ts';
import type { ListenerModel } from '../model.ts';
import type { BuildMember, Refusal } from './build-input.ts';

/** A port that the load balancer listens on, for one member, and the frontends behind it. */
export interface ListenerChoice {
  /** Also of its target group. */
  key: string;
  port: number;
  protocol: ListenerModel['protocol'];
  /** One, or TCP and UDP of the same port. */
  frontend: Frontend;
  /** The port of nodes; undefined: traffic goes to pods. */
  nodePort: number | undefined;
}

/** Which listeners a LoadBalancer needs, and what can't be had. */
export function chooseListeners(member: BuildMember): { choices: ListenerChoice[]; refusals: Refusal[] } {
  const choices: ListenerChoice[] = [];
  const refusals: Refusal[] = [];
  const byPort = new Map<number, Frontend[]>();
  for (const frontend of member.spec.frontends ?? []) {
    if (frontend.protocol === 'SCTP') refusals.push(notServed(frontend));
    else byPort.set(frontend.port, [...(byPort.get(frontend.port) ?? []), frontend]);
  }
  for (const [port, frontends] of byPort) {
    const [frontend, other] = frontends;
    if (frontend === undefined) continue;
    const nodePorts = frontends.map((each) => nodePortOf(member, each));
    const [nodePort] = nodePorts;
    if (member.spec.targets.mode !== 'Pod' && nodePorts.includes(undefined))
      refusals.push(noNodePort(member, port));
    else if (other !== undefined && nodePorts.some((each) => each !== nodePort))
      refusals.push(twoNodePorts(port));
    else {
      const protocol =
        other !== undefined ? 'TCP_UDP' : endsTls(member, frontend) ? 'TLS' : udpOrTcp(frontend);
      // Whether TLS ends here is no reason for other targets.
      choices.push({
        key: `${protocol === 'TLS' ? 'TCP' : protocol}-${port}`,
        port,
        protocol,
        frontend,
        nodePort,
      });
    }
  }
  return { choices, refusals };
}

/** In the words of EC2. */
export function protocolsOf(protocol: ListenerModel['protocol']): ('tcp' | 'udp')[] {
  if (protocol === 'TCP_UDP') return ['tcp', 'udp'];
  return [protocol === 'UDP' ? 'udp' : 'tcp'];
}

function nodePortOf({ spec }: BuildMember, { forwardingPort, nodePort }: Frontend): number | undefined {
  if (spec.targets.mode === 'Pod') return undefined;
  return spec.targets.mode === 'ForwardingPort' ? forwardingPort : (nodePort ?? forwardingPort);
}

function endsTls({ options: { tls } }: BuildMember, { name, port, protocol }: Frontend): boolean {
  if (tls === undefined || protocol !== 'TCP') return false;
  return tls.ports === undefined || tls.ports.some((each) => each === name || each === String(port));
}

function udpOrTcp({ protocol }: Frontend): 'TCP' | 'UDP' {
  return protocol === 'UDP' ? 'UDP' : 'TCP';
}

function notServed({ port }: Frontend): Refusal {
  const message = `Port ${port} is of SCTP, which Network Load Balancers don't forward: leave it out, or use another provider.`;
  return { reason: 'ProtocolNotServed', message };
}

function noNodePort({ spec }: BuildMember, port: number): Refusal {
  const message =
    spec.targets.mode === 'ForwardingPort'
      ? `Port ${port} has no forwarding port: let a PortPool have forwardingPorts, and serve this namespace.`
      : `Port ${port} has no node port, so there is nothing to send traffic to: take allocateLoadBalancerNodePorts: false away, or use targets.mode ForwardingPort or Pod.`;
  return { reason: 'NoNodePort', message };
}

function twoNodePorts(port: number): Refusal {
  const message = `TCP and UDP of port ${port} have different node ports, and a Network Load Balancer has one target port for both: give them the same nodePort.`;
  return { reason: 'NodePortsDiffer', message };
}
