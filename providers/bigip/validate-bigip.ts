import type { LoadBalancerProviderSpec } from '../../crds/load-balancer-provider.ts';
import type { Finding } from '../provider.ts';

/** What is wrong with a provider of type bigip, beyond what its schema refuses. */
export function validateBigip({ bigip, targets }: LoadBalancerProviderSpec): Finding[] {
  if (bigip === undefined) return [];
  const { healthCheck, profiles, virtualServers = 'FastL4' } = bigip;
  const findings: Finding[] = [];
  if (healthCheck?.port !== undefined && targets?.mode === 'Pod') {
    findings.push({
      reason: 'HealthCheckPortNotServed',
      message: 'bigip.healthCheck.port is a port of the nodes, and targets.mode is Pod: leave it out.',
    });
  }
  const unused =
    virtualServers === 'FastL4'
      ? (['tcp', 'udp', 'sctp'] as const).filter((name) => profiles?.[name] !== undefined)
      : (['fastL4'] as const).filter((name) => profiles?.[name] !== undefined);
  if (unused.length > 0) {
    const names = unused.map((name) => `bigip.profiles.${name}`).join(', ');
    const message = `${names} has no effect with virtualServers ${virtualServers}: leave it out, or choose the other kind.`;
    findings.push({ reason: 'ProfileNotUsed', message });
  }
  return findings;
}
