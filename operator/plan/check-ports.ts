import type { Service } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import { REASONS } from '../status/reasons.ts';

/** `spec.frontends` of a LoadBalancer takes no more (crds/load-balancer.ts). */
export const MOST_PORTS = 256;

/** Why the ports of a Service can't be those of a load balancer. */
export function checkPorts({ spec }: Service): Finding | undefined {
  const count = spec.ports?.length ?? 0;
  if (count <= MOST_PORTS) return undefined;
  return {
    reason: REASONS.tooManyPorts,
    message: `The Service has ${count} ports, and a load balancer has ${MOST_PORTS} at most: split it into several Services.`,
  };
}
