import type { LoadBalancerProviderSpec } from '../../crds/load-balancer-provider.ts';
import type { Finding } from '../provider.ts';

/** What is wrong with a provider of type haproxy, beyond what its schema refuses. */
export function validateHaproxy({ haproxy, targets }: LoadBalancerProviderSpec): Finding[] {
  if (haproxy?.healthCheck?.port === undefined || targets?.mode !== 'Pod') return [];
  return [
    {
      reason: 'HealthCheckPortNotServed',
      message: 'haproxy.healthCheck.port is a port of the nodes, and targets.mode is Pod: leave it out.',
    },
  ];
}
