import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerIngress, Service } from '../../kube/objects.ts';
import type { ProviderStatus } from '../../providers/provider.ts';
import type { PortClaim } from '../plan/build-load-balancer.ts';
import type { AnnotatedWishes } from '../plan/read-annotations.ts';
import type { Choice } from '../plan/select-providers.ts';
import type { Outcome } from '../status/build-conditions.ts';

/** What a Service wants of one provider. */
export interface EnsureInput {
  service: Service;
  wishes: AnnotatedWishes;
  choice: Choice;
  /** Whether this one's addresses are shown in the Service's status. */
  feedsService: boolean;
  namespaceLabels: Readonly<Record<string, string>> | undefined;
  ports: readonly PortClaim[];
  portOutcome: Outcome['ports'];
  /** Called before anything is made outside the cluster: the finalizer is on the Service afterwards. */
  beforeExternal: () => Promise<void>;
  signal: AbortSignal;
}

/** How one load balancer stands after a turn. */
export interface Ensured {
  outcome: Outcome;
  ingress: LoadBalancerIngress[];
  /** As the provider says; undefined: it didn't come so far. */
  status?: ProviderStatus | undefined;
  /** Digest of what is carried out wholly. */
  applied?: string | undefined;
  loadBalancer?: LoadBalancer | undefined;
  wrote?: 'Created' | 'Updated' | undefined;
  /** Again after this, though nothing changes: an address is on its way out. */
  againAfterSeconds?: number | undefined;
  /** What the API server refused, or the provider's error: told, and tried again where that may help. */
  failure?: unknown;
}
