import type { ProviderType } from '../crds/common.ts';
import type { LoadBalancerSpec } from '../crds/load-balancer.ts';
import type { LoadBalancerProviderSpec } from '../crds/load-balancer-provider.ts';
import type { LoadBalancerIngress } from '../kube/objects.ts';

/** Which load balancer: all that is needed to find it again after every memory is lost. */
export interface LoadBalancerId {
  /** The cluster's id, in every tag or name at the provider. */
  clusterId: string;
  namespace: string;
  /** The LoadBalancer object, `<service>.<provider>`. */
  name: string;
  serviceUid: string;
}

/** A node that traffic may be sent to. */
export interface TargetNode {
  name: string;
  providerID?: string;
  /** InternalIPs, of both families. */
  addresses: string[];
  /** Leaving: gets no new connections, and goes after `drainSeconds`. */
  draining: boolean;
}

/** A load balancer as it ought to be: plain data, the input of `build`. */
export interface DesiredLoadBalancer {
  id: LoadBalancerId;
  spec: LoadBalancerSpec;
  nodes: TargetNode[];
}

/** One step from observed to desired, printable as it is: plan, explain and log show `summary`. */
export interface Change {
  action: 'Create' | 'Update' | 'Delete';
  /** The provider's word for what is changed: `Listener`, `TargetGroup`, ... */
  resource: string;
  summary: string;
}

/** What is wrong with a provider's configuration, for its `Accepted` condition. */
export interface Finding {
  /** One CamelCase word. */
  reason: string;
  /** Tells a person what to do. */
  message: string;
}

/** What the outside sees once the model is applied. */
export interface ProviderStatus {
  providerID?: string;
  ingress: LoadBalancerIngress[];
  /** Why no traffic comes through although all is applied; absent: it does, as far as the provider can tell. */
  notProgrammed?: Finding;
}

/**
 * The contract of every provider. `validate`, `build`, `diff` and `status` are pure. `observe` and `apply` do I/O and
 * throw a KubeError-like classed error (see kube/errors.ts); each may be cut short anywhere and done again.
 * Providers never read Services.
 */
export interface Provider<Model = unknown, Observed = unknown, C extends Change = Change> {
  readonly type: ProviderType;
  /** true: addresses are claimed from AddressPools before `build`; false: the provider brings its own. */
  readonly addressesFromPools: boolean;
  /** true: `apply` makes things outside the cluster, which would be left behind if nobody took them away. */
  readonly external: boolean;
  validate(spec: LoadBalancerProviderSpec): Finding[];
  /** Why a provider that is configured like this can't serve at present, from what is known anyway: no I/O. */
  readiness?(spec: LoadBalancerProviderSpec): Finding | undefined;
  build(desired: DesiredLoadBalancer): Model;
  observe(id: LoadBalancerId): Promise<Observed>;
  /** Creations before deletions. Empty: nothing to do. */
  diff(model: Model | undefined, observed: Observed): C[];
  apply(change: C, signal: AbortSignal): Promise<void>;
  status(model: Model, observed: Observed): ProviderStatus;
}
