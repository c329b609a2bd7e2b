import { isDeepStrictEqual } from 'node:util';
import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { servicesOfSlice } from '../../kube/endpoint-slices.ts';
import type { KubeObject, Node, Pod } from '../../kube/objects.ts';
import { keyOf } from '../../kube/resources.ts';
import type { StoreChange } from '../../kube/store.ts';
import type { WorkQueue } from '../../kube/workqueue.ts';
import { refuseToShare } from '../allocate/share-address.ts';
import { findSharers } from './build-desired.ts';
import { type Caches, serviceKeyOf } from './caches.ts';
import type { Claims } from './claims.ts';
import { loadBalancerOfGate } from './target-pods.ts';
import { Waiting } from './waiting.ts';

/** Several nodes in a row are one look. */
const GATHER_MS = 50;

/** Puts the Services into the queue that a change may concern. */
export class Triggers {
  readonly waiting = new Waiting((key) => this.#add(key));
  readonly #caches: Caches;
  readonly #queue: WorkQueue;
  #nodesTimer: NodeJS.Timeout | undefined;
  #open = false;

  constructor(caches: Caches, queue: WorkQueue) {
    this.#caches = caches;
    this.#queue = queue;
  }

  /** After the claims have been connected to the caches: they must know of a change before anyone decides on it. */
  connect(claims: Claims): void {
    const caches = this.#caches;
    caches.services.store.onChange(({ key, object }) => {
      if (!caches.freshServices.isEcho(object)) this.#add(key);
    });
    caches.loadBalancers.store.onChange(({ object, previous }) => {
      if (caches.freshLoadBalancers.isEcho(object)) {
        // Its own turn has done with it; of the others none has seen it yet.
        if (!isDeepStrictEqual(previous?.spec, object.spec)) this.#wakeSharers(object, previous);
        return;
      }
      this.#add(serviceKeyOf(object));
      if (previous !== undefined) this.#add(serviceKeyOf(previous));
      this.#wakeRivals(object, claims);
      this.#wakeSharers(object, previous);
    });
    caches.nodes.store.onChange(({ type, object, previous }) => {
      const isOther = () => previous && !isDeepStrictEqual(targetingOf(previous), targetingOf(object));
      if (type !== 'Modified' || isOther()) this.#wakeServedByNodes();
    });
    caches.nodeForwarders.store.onChange(({ type }) => {
      if (type !== 'Modified') this.#wakeServedByNodes();
    });
    caches.targets.slices.store.onChange(({ object, previous = object }) => {
      for (const each of servicesOfSlice(object).concat(servicesOfSlice(previous))) this.#wakePods(each);
    });
    caches.targets.pods.store.onChange(({ object }) => this.#wakeGated(object));
    caches.addressPools.store.onChange((change) => {
      const { object } = change;
      if (isStatusOnly(change)) return;
      for (const each of caches.loadBalancers.store.byIndex('pool', object.metadata.name)) {
        this.#add(serviceKeyOf(each));
      }
      this.waiting.objectsChanged();
    });
    caches.portPools.store.onChange((change) => {
      if (!isStatusOnly(change)) this.#wakeAllServed();
    });
    caches.providers.store.onChange((change) => {
      const { object } = change;
      if (isStatusOnly(change)) return;
      this.wakeServedBy(object.metadata.name);
      this.#wakeUnserved();
    });
    caches.namespaces.store.onChange(({ key, object, previous }) => {
      if (previous !== undefined && isDeepStrictEqual(previous.metadata.labels, object.metadata.labels))
        return;
      for (const service of caches.services.store.byIndex('namespace', key)) this.#add(keyOf(service));
    });
  }

  /** From now on changes count; before, whatever is listed comes in the order of `first`. */
  open(first: readonly string[]): void {
    this.#open = true;
    for (const key of first) this.#add(key);
  }

  /** Every Service that has a load balancer: what carries them out changed. */
  wakeAllServed(): void {
    this.#wakeAllServed();
  }

  /** Those that have a load balancer of this provider: it answers again. */
  wakeServedBy(provider: string): void {
    this.#wake(({ spec }) => spec.provider.name === provider);
  }

  stop(): void {
    this.waiting.stop();
    clearTimeout(this.#nodesTimer);
  }

  #add(key: string): void {
    if (this.#open) this.#queue.add(key);
  }

  #wakeAllServed(): void {
    this.#wake(() => true);
    this.waiting.objectsChanged();
  }

  /** Several nodes in a row are one look at each load balancer. */
  #wakeServedByNodes(): void {
    if (!this.#open || this.#nodesTimer !== undefined) return;
    this.#nodesTimer = setTimeout(() => {
      this.#nodesTimer = undefined;
      this.#wake(dependsOnNodes);
    }, GATHER_MS);
  }

  /** Services with such a load balancer, be it one that was just written, and that the watch has not brought yet. */
  #wake(isConcerned: (loadBalancer: LoadBalancer) => boolean): void {
    for (const each of this.#caches.freshLoadBalancers.list()) {
      if (isConcerned(each)) this.#add(serviceKeyOf(each));
    }
  }

  #wakePods(serviceKey: string): void {
    const isTarget = ({ spec }: LoadBalancer) => spec.targets.mode === 'Pod';
    if (this.#caches.freshLoadBalancers.byGroup(serviceKey).some(isTarget)) this.#add(serviceKey);
  }

  /** A Pod with a gate becomes a target before it is ready. */
  #wakeGated(pod: Pod): void {
    const { namespace = '' } = pod.metadata;
    for (const { conditionType } of pod.spec?.readinessGates ?? []) {
      const name = loadBalancerOfGate(conditionType);
      const loadBalancer = name && this.#caches.freshLoadBalancers.get(`${namespace}/${name}`);
      if (loadBalancer) this.#add(serviceKeyOf(loadBalancer));
    }
  }

  /** Services that could be ours and have no load balancer yet: a provider came, went, or became the default. */
  #wakeUnserved(): void {
    for (const service of this.#caches.services.store.list()) {
      const key = keyOf(service);
      const { type } = service.spec;
      if (type !== 'LoadBalancer' && type !== 'NodePort') continue;
      if (this.#caches.freshLoadBalancers.byGroup(key).length === 0) this.#add(key);
    }
    this.waiting.objectsChanged();
  }

  /** Those that share a load balancer outside of the cluster: another of them may have to lead now. */
  #wakeSharers(changed: LoadBalancer, previous: LoadBalancer | undefined): void {
    if (changed.spec.provider.type === 'announce') return;
    for (const each of findSharers({ caches: this.#caches }, changed)) {
      if (each.metadata.name !== changed.metadata.name) this.#add(serviceKeyOf(each));
    }
    // Those that it shares with no more.
    if (previous !== undefined && previous.spec.sharedAddress !== changed.spec.sharedAddress) {
      this.#wakeSharers(previous, undefined);
    }
  }

  /** Others that hold the same address and may not: the older keeps it, and both have to look. */
  #wakeRivals(changed: LoadBalancer, claims: Claims): void {
    const mine = claims.addresses.get(keyOf(changed));
    for (const { address } of mine?.claims ?? []) {
      const holders = claims.addresses.holdersOf(address);
      if (holders.length < 2 || mine === undefined) continue;
      for (const other of holders) {
        const rival = other.owner !== mine.owner && refuseToShare(address, mine, other) !== undefined;
        if (rival) this.#add(`${other.namespace}/${other.service}`);
      }
    }
  }
}

/** Whether nodes are its targets, or answer for it where their labels say so. */
function dependsOnNodes({ spec: { announce, provider, targets } }: LoadBalancer): boolean {
  if (provider.type === 'announce') return announce?.nodeSelector !== undefined;
  return targets.mode !== 'Pod';
}

/** Of a Node, what decides whether and how it is a target. */
function targetingOf({ metadata, spec, status }: Node): unknown {
  return [
    metadata.labels,
    metadata.deletionTimestamp,
    spec?.providerID,
    (spec?.taints ?? []).map(({ key }) => key),
    status?.addresses,
  ];
}

/** Statuses of pools and providers are ours, and say nothing new to anyone; all else is a new generation. */
function isStatusOnly({ type, object, previous }: StoreChange<KubeObject>): boolean {
  return type === 'Modified' && previous?.metadata.generation === object.metadata.generation;
}
