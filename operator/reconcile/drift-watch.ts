import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { findCondition } from '../../kube/conditions.ts';
import { isClass } from '../../kube/errors.ts';
import type { Change, LoadBalancerId, Provider } from '../../providers/provider.ts';
import { providerTypeOf } from '../../providers/registry.ts';
import { serviceKeyOf, tenantOf } from './caches.ts';
import type { ReconcileContext } from './context.ts';
import { findDrift, removeFromProvider } from './sync-provider.ts';

const TICK_MS = 1_000;
/** What several share goes by `<shared-address>.<provider>:shared`, when none of them has a part in it. */
const SHARED = ':shared';
/** What a LoadBalancerProvider says when it says nothing (crds/load-balancer-provider.ts). */
const DEFAULT_INTERVAL_SECONDS = 300;

export interface DriftWatchOptions {
  /** The Service's key: something of it isn't any more as it was carried out. */
  recheck: (key: string) => void;
  /** What is to be said of a provider has changed. */
  tellProvider: (name: string) => void;
  /** @default as each provider says */
  intervalMs?: number | undefined;
}

/**
 * Asks each provider outside of the cluster, once an interval, what it really has: what was changed there goes through the
 * queue as any other work, and what belongs to nobody any more is told, or taken away.
 */
export class DriftWatch {
  readonly #context: ReconcileContext;
  readonly #options: DriftWatchOptions;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  /** When the last look at each began, or when it was first seen. */
  readonly #lookedAt = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(context: ReconcileContext, options: DriftWatchOptions) {
    this.#context = context;
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
    this.#tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await Promise.all(this.#running.values());
  }

  #tick(): void {
    const now = performance.now();
    const { compiled, providers } = this.#context;
    for (const name of this.#lookedAt.keys()) {
      if (!compiled.providers.has(name)) this.#lookedAt.delete(name);
    }
    for (const [name, { object, findings }] of compiled.providers) {
      const type = providerTypeOf(object.spec);
      const provider = type === undefined ? undefined : providers.get(type);
      if (provider?.refresh === undefined || findings.length > 0 || this.#running.has(name)) continue;
      const lookedAt = this.#lookedAt.get(name);
      if (lookedAt === undefined) this.#lookedAt.set(name, now);
      if (lookedAt === undefined || now - lookedAt < this.#intervalMs(object)) continue;
      // From one beginning to the next: each thing is read once an interval, unless a round takes longer.
      this.#lookedAt.set(name, now);
      const look = this.#look(provider, object).finally(() => this.#running.delete(name));
      this.#running.set(name, look);
    }
  }

  #intervalMs({ spec }: LoadBalancerProvider): number {
    const { intervalMs } = this.#options;
    return intervalMs ?? (spec.drift?.intervalSeconds ?? DEFAULT_INTERVAL_SECONDS) * 1_000;
  }

  async #look(provider: Provider, object: LoadBalancerProvider): Promise<void> {
    const { clusterId, log } = this.#context;
    const { name } = object.metadata;
    const { signal } = this.#stopping;
    try {
      const comparing: Promise<void>[] = [];
      const rechecked = new Set<string>();
      const seen = (ids: readonly LoadBalancerId[]) => {
        const compared = this.#findDrift(this.#find(ids), object, rechecked);
        // When it's aborted, so is the look itself.
        compared.catch(() => {});
        comparing.push(compared);
      };
      const owners = await provider.refresh?.({ name, spec: object.spec }, clusterId, signal, seen);
      await Promise.all(comparing);
      const all = this.#context.caches.loadBalancers.store.byIndex('provider', name);
      await this.#findDrift(all, object, rechecked);
      await this.#findOrphans(provider, object, owners ?? []);
    } catch (error) {
      if (!signal.aborted) log.warn('DriftCheckFailed', { provider: name, error });
    }
  }

  #find(ids: readonly LoadBalancerId[]): LoadBalancer[] {
    const { store } = this.#context.caches.loadBalancers;
    return ids.flatMap(({ name, namespace }) => store.get(`${namespace}/${name}`) ?? []);
  }

  /** One of `rechecked` has its turn coming: another one after it would have nothing left to tell. */
  async #findDrift(
    loadBalancers: Iterable<LoadBalancer>,
    object: LoadBalancerProvider,
    rechecked: Set<string>,
  ): Promise<void> {
    const { log } = this.#context;
    for (const loadBalancer of loadBalancers) {
      const rechecking = serviceKeyOf(loadBalancer);
      if (rechecked.has(rechecking)) continue;
      const wasDrifted = findCondition(loadBalancer.status?.conditions, 'Drifted')?.status === 'True';
      const changes = await this.#compare(loadBalancer, object);
      if (changes.length === 0 && !wasDrifted) continue;
      if (changes.length > 0) {
        const { name: loadBalancerName, namespace } = loadBalancer.metadata;
        log.info('Drifted', {
          loadBalancer: loadBalancerName,
          namespace,
          changes: changes.map((each) => each.summary),
        });
      }
      rechecked.add(rechecking);
      this.#options.recheck(rechecking);
    }
  }

  /** One that can't be looked at keeps none of the others from it: its own turn tells why. */
  async #compare(loadBalancer: LoadBalancer, object: LoadBalancerProvider): Promise<Change[]> {
    const { signal } = this.#stopping;
    try {
      return await findDrift(this.#context, loadBalancer, object, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const { name, namespace } = loadBalancer.metadata;
      this.#context.log.warn('DriftCheckFailed', { loadBalancer: name, namespace, error });
      this.#options.recheck(serviceKeyOf(loadBalancer));
      return [];
    }
  }

  async #findOrphans(
    provider: Provider,
    object: LoadBalancerProvider,
    owners: readonly LoadBalancerId[],
  ): Promise<void> {
    const { name } = object.metadata;
    const orphans: LoadBalancerId[] = [];
    const served = new Set(owners.filter((each) => this.#isServedAs(each, name)).map(keyOf));
    for (const owner of new Map(owners.map((each) => [keyOf(each), each])).values()) {
      if (!served.has(keyOf(owner)) && (await this.#isOrphan(owner, name))) orphans.push(owner);
    }
    if (object.spec.deletion !== 'Retain') {
      for (const orphan of orphans) await this.#remove(provider, object, orphan);
    }
    if (this.#context.orphans.set(name, orphans)) this.#options.tellProvider(name);
  }

  /**
   * Asks the API server itself, since a cache may lag: what is taken for an orphan may be deleted. By its name alone: tags
   * may have been edited, and what a LoadBalancer of that name stands for is its own turn's matter.
   */
  async #isOrphan(id: LoadBalancerId, provider: string): Promise<boolean> {
    const { caches, client } = this.#context;
    if (id.name.endsWith(SHARED)) return !(await this.#isShared(id, provider));
    if (caches.freshLoadBalancers.get(`${id.namespace}/${id.name}`) !== undefined) return false;
    try {
      await client.get(LOAD_BALANCERS, id.namespace, id.name);
      return false;
    } catch (error) {
      if (isClass(error, 'NotFound')) return true;
      throw error;
    }
  }

  /** By the Service's uid: something of one that is served has another's name in its tags. Putting that right is its own turn's. */
  #isServedAs({ namespace, serviceUid }: LoadBalancerId, provider: string): boolean {
    if (serviceUid === '') return false;
    return this.#context.caches.loadBalancers.store
      .byIndex('tenant', tenantOf(provider, namespace))
      .some(({ spec }) => spec.service.uid === serviceUid);
  }

  /** Whether anybody wants what several share. */
  async #isShared({ name, namespace }: LoadBalancerId, provider: string): Promise<boolean> {
    const key = name.slice(0, -`.${provider}${SHARED}`.length);
    const { items } = await this.#context.client.list(LOAD_BALANCERS, { namespace });
    return items.some(({ spec }) => spec.provider.name === provider && spec.sharedAddress === key);
  }

  async #remove(provider: Provider, object: LoadBalancerProvider, orphan: LoadBalancerId): Promise<void> {
    const { log } = this.#context;
    const { name, namespace } = orphan;
    const subject = { id: orphan, provider: { name: object.metadata.name, spec: object.spec } };
    try {
      log.warn('DeletingOrphan', { loadBalancer: name, namespace });
      await removeFromProvider(this.#context, provider, subject, this.#stopping.signal);
    } catch (error) {
      if (this.#stopping.signal.aborted) throw error;
      log.warn('DeletingOrphanFailed', { loadBalancer: name, namespace, error });
    }
  }
}

function keyOf({ name, namespace }: LoadBalancerId): string {
  return `${namespace}/${name}`;
}
