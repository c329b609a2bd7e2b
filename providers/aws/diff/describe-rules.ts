import type { SecurityGroupPorts } from '../model.ts';
import type { ObservedSecurityGroup } from '../observed.ts';

type Rule = ObservedSecurityGroup['ingress'][number];

/** `192.0.2.0/24 to tcp 80` */
export function describeRule({ cidr, fromPort, protocol, toPort }: Rule): string {
  if (protocol === '-1') return `${cidr} to everything`;
  return `${cidr} to ${describeRange({ fromPort, protocol, toPort })}`;
}

/** `tcp 80, udp 53-54`; undefined: none. */
export function describePorts(ports: readonly SecurityGroupPorts[]): string | undefined {
  return ports.length === 0 ? undefined : ports.map(describeRange).sort().join(', ');
}

function describeRange({ fromPort, protocol, toPort }: Omit<Rule, 'cidr'>): string {
  return fromPort === toPort ? `${protocol} ${fromPort}` : `${protocol} ${fromPort}-${toPort}`;
}
