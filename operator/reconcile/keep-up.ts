import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { keyOf } from '../../kube/resources.ts';
import type { Finding } from '../../providers/provider.ts';
import { isBeingDeleted } from '../plan/names.ts';
import { describeFailure } from '../status/describe-refusal.ts';
import { REASONS } from '../status/reasons.ts';
import type { ReconcileContext } from './context.ts';
import { syncProvider } from './sync-provider.ts';

/**
 * Carries out what was decided before, for load balancers of which nothing new may be decided: they serve, so they have to
 * follow nodes and pods that come and go. Where the provider itself can't be asked, they stay as they are.
 */
export class Keeper {
  readonly #context: ReconcileContext;
  /** By key of the LoadBalancer: what was found when it was last tried. */
  readonly #findings = new Map<string, Finding>();

  constructor(context: ReconcileContext) {
    this.#context = context;
  }

  /** Answers what providers said against it. */
  async keepUp(loadBalancers: readonly LoadBalancer[], signal: AbortSignal): Promise<unknown[]> {
    const failures: unknown[] = [];
    for (const loadBalancer of loadBalancers) {
      const failure = await this.#carryOut(loadBalancer, signal);
      this.forget(loadBalancer);
      if (failure === undefined) continue;
      failures.push(failure);
      const { name } = loadBalancer.metadata;
      const why = `at provider "${loadBalancer.spec.provider.name}": ${describeFailure(failure)}`;
      const message = `Load balancer ${name} can't be kept up ${why}`;
      this.#findings.set(keyOf(loadBalancer), { reason: REASONS.syncFailed, message });
    }
    return failures;
  }

  findingsOf(loadBalancers: readonly LoadBalancer[]): Finding[] {
    return loadBalancers.flatMap((each) => this.#findings.get(keyOf(each)) ?? []);
  }

  forget(loadBalancer: LoadBalancer): void {
    this.#findings.delete(keyOf(loadBalancer));
  }

  async #carryOut(loadBalancer: LoadBalancer, signal: AbortSignal): Promise<unknown> {
    const { caches, compiled, providers } = this.#context;
    const { name, type } = loadBalancer.spec.provider;
    const known = compiled.providers.get(name);
    if (known === undefined || known.findings.length > 0 || isBeingDeleted(loadBalancer)) return undefined;
    if (providers.get(type)?.external !== true) return undefined;
    if (loadBalancer.spec.targets.mode === 'Pod') await caches.targets.need(signal);
    const synced = await syncProvider(this.#context, {
      loadBalancer,
      provider: known.object,
      // It is there: so is the finalizer.
      beforeExternal: async () => {},
      signal,
    });
    return synced.kind === 'failed' ? synced.failure : undefined;
  }
}
