import type { EdgeReport } from '../../crds/haproxy-provider.ts';
import type { LoadBalancerId } from '../provider.ts';

/** What the provider needs to know of the edges: what each says of a load balancer, and who says nothing any more. */
export interface Edges {
  reportsOf(id: LoadBalancerId): readonly EdgeReport[];
  /** Whether the edge of this provider had a Lease that it doesn't renew any more. */
  isSilent(provider: string, edge: string): boolean;
}

/** What an edge says, or said before it fell silent: its HAProxy may serve on, which nobody knows. */
export interface HeardReport extends EdgeReport {
  silent: boolean;
}
