import type { EdgeReport } from '../../crds/haproxy-provider.ts';
import type { LoadBalancerId } from '../provider.ts';

/** What the provider needs to know of the edges: what each says of a load balancer. */
export interface Edges {
  reportsOf(id: LoadBalancerId): readonly EdgeReport[];
}
