import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import { findCondition } from '../../kube/conditions.ts';
import type { Change, LoadBalancerId, Provider } from '../../providers/provider.ts';
import { providerTypeOf } from '../../providers/registry.ts';
import { serviceKeyOf } from './caches.ts';
import type { ReconcileContext } from './context.ts';
import { driftIntervalMs } from './drift-interval.ts';
import { sweepOrphans } from './sweep-orphans.ts';
import { findDrift } from './sync-provider.ts';

const TICK_MS = 1_000;

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
    const { intervalMs = TICK_MS } = this.#options;
    this.#timer = setInterval(() => this.#tick(), Math.min(TICK_MS, intervalMs));
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
      if (lookedAt === undefined || now - lookedAt < driftIntervalMs(object, this.#options.intervalMs))
        continue;
      // From one beginning to the next: each thing is read once an interval, unless a round takes longer.
      this.#lookedAt.set(name, now);
      const look = this.#look(provider, object).finally(() => this.#running.delete(name));
      this.#running.set(name, look);
    }
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
      await this.#sweepOrphans(provider, object, owners ?? []);
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
      const found = await this.#compare(loadBalancer, object);
      if (found.length === 0 && !wasDrifted) continue;
      if (found !== 'Outdated' && found.length > 0) {
        const { name: loadBalancerName, namespace } = loadBalancer.metadata;
        log.info('Drifted', {
          loadBalancer: loadBalancerName,
          namespace,
          changes: found.map((each) => each.summary),
        });
      }
      rechecked.add(rechecking);
      this.#options.recheck(rechecking);
    }
  }

  /** One that can't be looked at keeps none of the others from it: its own turn tells why. */
  async #compare(loadBalancer: LoadBalancer, object: LoadBalancerProvider): Promise<Change[] | 'Outdated'> {
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

  async #sweepOrphans(
    provider: Provider,
    object: LoadBalancerProvider,
    owners: readonly LoadBalancerId[],
  ): Promise<void> {
    const { name } = object.metadata;
    const { recheck, tellProvider } = this.#options;
    const { signal } = this.#stopping;
    const orphans = await sweepOrphans(this.#context, { provider, object, owners, recheck, signal });
    if (this.#context.orphans.set(name, orphans)) tellProvider(name);
  }
}
