import type { ProviderType, Scheme, TargetsMode } from '../crds/common.ts';
import type { Frontend, LoadBalancerSpec } from '../crds/load-balancer.ts';
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

/** A LoadBalancerProvider: where to go, and with which credentials. */
export interface ProviderScope {
  name: string;
  spec: LoadBalancerProviderSpec;
}

/** One load balancer at one provider: what `observe` and `apply` are about. */
export interface Subject {
  id: LoadBalancerId;
  provider: ProviderScope;
  /** The key under which several LoadBalancers of the namespace share one load balancer. */
  sharedAddress?: string | undefined;
  /** What is asked for, where anybody asks still. */
  spec?: LoadBalancerSpec | undefined;
  /** Who gets traffic, where anybody asks for it still. */
  nodes?: readonly TargetNode[] | undefined;
  /** Of mode Pod, the same. */
  pods?: readonly TargetPod[] | undefined;
}

/** A node that traffic may be sent to. */
export interface TargetNode {
  name: string;
  providerID?: string;
  labels?: Readonly<Record<string, string>>;
  /** InternalIPs, of both families. */
  addresses: string[];
  /** Leaving: gets no new connections, and goes after `drainSeconds`. */
  draining: boolean;
}

/** An endpoint of a Service, for targets of mode Pod. One that is terminating or not ready isn't among them. */
export interface TargetPod {
  /** The frontend that it serves. */
  protocol: Frontend['protocol'];
  port: number;
  address: string;
  targetPort: number;
  /** The Pod behind it; absent: an address that somebody wrote into the EndpointSlice. */
  pod?: string | undefined;
  zone?: string | undefined;
  /** Waits for the load balancer only: all its containers are ready, its readiness gate isn't. */
  gated: boolean;
}

/** A load balancer as it ought to be: plain data, the input of `build`. */
export interface DesiredLoadBalancer extends Subject {
  spec: LoadBalancerSpec;
  nodes: TargetNode[];
  /** Empty but in mode Pod. */
  pods: TargetPod[];
  /** Others with the same `sharedAddress` at this provider, oldest first, this one among them; empty: it shares nothing. */
  sharedWith: { id: LoadBalancerId; spec: LoadBalancerSpec }[];
}

/** A managed field that isn't what it ought to be. */
export interface FieldChange {
  /** In the provider's words: `healthCheck.path`, `attributes.load_balancing.cross_zone.enabled`, ... */
  field: string;
  /** `(none)` where there is none. */
  actual: string;
  expected: string;
}

/** One step from observed to desired, printable as it is: plan, explain and log show `summary`. */
export interface Change {
  action: 'Create' | 'Update' | 'Delete';
  /** The provider's word for what is changed: `Listener`, `TargetGroup`, ... */
  resource: string;
  summary: string;
  /** Which fields, for the condition `Drifted`: of an update, or what is there at all. */
  fields?: FieldChange[];
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
  /**
   * Whether clients get through at `ingress`, whatever else is to be mended. Absent: they do where nothing is wrong, and don't
   * where no target is healthy.
   */
  traffic?: Traffic;
  /** Counts of targets, where the provider tells their health. */
  targets?: { desired: number; healthy: number };
  /** Why targets aren't healthy, in numbers; absent: they are, or the provider doesn't tell. */
  unhealthy?: Finding;
  /** Pods that the load balancer sends traffic to and finds healthy, by name: for their readiness gates. */
  healthyPods?: string[];
  /**
   * What of others is in the way of it, as text; absent: nothing. Once all else is carried out, what differs is drift for as long
   * as the text is the same, and work to do with another one.
   */
  waitsForOthers?: string;
  /** Though it's not programmed, nothing is left to do here: `notProgrammed` tells who or what is waited for. */
  onlyWaits?: boolean;
  /** Look again after this, though nothing changes here: something at the provider takes its time. */
  againAfterSeconds?: number;
}

/** `Unknown`: as it was. */
export type Traffic = 'Passes' | 'Stops' | 'Unknown';

/** The members of LoadBalancer.spec that belong to one type of provider. */
export type ProviderOptions = Pick<LoadBalancerSpec, 'aws' | 'haproxy'>;

/** What a Service's annotations say to one provider. */
export interface OptionsReading {
  /** Becomes part of LoadBalancer.spec. */
  options: ProviderOptions;
  scheme?: Scheme;
  targetsMode?: TargetsMode;
  /** Who may connect, where `spec.loadBalancerSourceRanges` doesn't say it. */
  sourceRanges?: string[];
  /** Values that can't be read: nothing new is decided until they are mended. */
  invalid: Finding[];
  /** Annotations that have no effect here, with what to do instead; they hold nothing up. */
  ignored: Finding[];
}

/**
 * The contract of every provider, one turn after the other:
 *
 *     build(desired) -> model          observe(subject) -> observed
 *     diff(model, observed) -> changes, each of them applied          status(model, observed)
 *
 * `validate`, `readOptions`, `build`, `diff` and `status` are pure. `observe`, `apply` and `refresh` do I/O and throw
 * ClassedErrors (kube/errors.ts); each may be cut short anywhere and done again, by a process that knows nothing of the
 * one before. Whatever is made carries the cluster's id and the Service's uid, and is found again by that alone; what
 * doesn't is never changed or deleted. Providers never read Services.
 */
export interface Provider<Model = unknown, Observed = unknown, C extends Change = Change> {
  readonly type: ProviderType;
  /** true: addresses are claimed from AddressPools before `build`; false: the provider brings its own. */
  readonly addressesFromPools: boolean;
  /** The same, where the configuration decides; it goes before. */
  choosesPools?(spec: LoadBalancerProviderSpec): boolean;
  /** true: `apply` makes things outside the cluster, which would be left behind if nobody took them away. */
  readonly external: boolean;
  validate(spec: LoadBalancerProviderSpec): Finding[];
  /** Why a provider that is configured like this can't serve at present, from what is known anyway: no I/O. */
  readiness?(spec: LoadBalancerProviderSpec): Finding | undefined;
  /**
   * Asks whether it can serve, where only asking tells: when it is configured, and every ten seconds as long as `readiness` has
   * something against it. Does I/O; what it finds is told by `readiness`.
   */
  greet?(provider: ProviderScope, signal: AbortSignal): Promise<void>;
  /** What annotations of other controllers mean here, so that their manifests work. */
  readOptions?(annotations: Readonly<Record<string, string>>, spec: LoadBalancerProviderSpec): OptionsReading;
  /** Plain JSON: what is equal as text is equal. */
  build(desired: DesiredLoadBalancer): Model;
  /**
   * What there is. From memory, where the provider's own writes tell it: asking again and again costs no calls. `applied` is
   * what is known to have been applied wholly before this process started; all that has to be asked for then is whether the
   * things are still there and ours.
   */
  observe(subject: Subject, applied: Model | undefined, signal: AbortSignal): Promise<Observed>;
  /** Creations before deletions. Empty: nothing to do. `model` is undefined for what is to go. */
  diff(model: Model | undefined, observed: Observed): C[];
  apply(change: C, subject: Subject, signal: AbortSignal): Promise<void>;
  status(model: Model, observed: Observed): ProviderStatus;
  /**
   * Forgets what is known of everything of ours there, and asks anew, in batches and at leisure: afterwards `observe` tells
   * what there really is. `seen` is told of those that were read, as soon as they were: all of them may take long. Answers who
   * has something there, for orphans to be found.
   */
  refresh?(
    provider: ProviderScope,
    clusterId: string,
    signal: AbortSignal,
    seen?: (ids: readonly LoadBalancerId[]) => void,
  ): Promise<LoadBalancerId[]>;
}
