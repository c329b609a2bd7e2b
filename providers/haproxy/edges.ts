import type { EdgeReport } from '../../crds/haproxy-provider.ts';
import type { LoadBalancerId } from '../provider.ts';

/** What the provider needs to know of the edges: what each says of a load balancer, and who says nothing any more. */
export interface Edges {
  reportsOf(id: LoadBalancerId): readonly EdgeReport[];
  /** For how long the edge of this provider doesn't renew the Lease that it had; undefined: it does, or had none. */
  silentSeconds(provider: string, edge: string): number | undefined;
  /** Whether the edge of this provider renews its Lease. */
  isLive(provider: string, edge: string): boolean;
  /** Whether all that is known is a Lease as it stood when this process began: nobody was seen to renew it yet. */
  isUnproven(provider: string, edge: string): boolean;
  /** Takes out what this edge said of a load balancer. */
  takeOut(id: LoadBalancerId, edge: string): Promise<void>;
}

/** What an edge says, or said before it fell silent: its HAProxy may serve on, which nobody knows. */
export interface HeardReport extends EdgeReport {
  /** undefined: it isn't silent. */
  silentSeconds?: number | undefined;
  /** It renews its Lease: it is there, and not only not known to be gone. @default false */
  live?: boolean;
  /** Nobody knows yet whether it is there. @default false */
  unproven?: boolean;
}
