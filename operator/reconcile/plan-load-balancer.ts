import type { AddressClaim, LoadBalancer } from '../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';
import type { Finding, OptionsReading } from '../../providers/provider.ts';
import { providerTypeOf } from '../../providers/registry.ts';
import { takesFromPools } from '../../providers/takes-from-pools.ts';
import { buildLoadBalancer } from '../plan/build-load-balancer.ts';
import { retireAddresses } from '../plan/retire-addresses.ts';
import { claimAddresses } from './claim-addresses.ts';
import type { ReconcileContext } from './context.ts';
import type { EnsureInput } from './ensured.ts';
import { SettleClock } from './settle-clock.ts';
import { shownAddresses } from './shown-ingress.ts';

/** What was decided, before anything is written. */
export interface LoadBalancerPlan {
  desired: LoadBalancer;
  /** Without those on their way out. */
  addresses: AddressClaim[];
  /** The provider brings addresses of its own. */
  own?: boolean;
  refused?: Finding | undefined;
  notes: Finding[];
  againAfterSeconds?: number | undefined;
}

/** Decides what a LoadBalancer is to be, and reserves the addresses that it needs for that. */
export class LoadBalancerPlanner {
  readonly #context: ReconcileContext;
  readonly #settling = new SettleClock();

  constructor(context: ReconcileContext) {
    this.#context = context;
  }

  /** Claims, and what is to be written. No await in here, nor between this and the quota. */
  plan(
    key: string,
    provider: LoadBalancerProvider,
    existing: LoadBalancer | undefined,
    input: EnsureInput,
    reading: OptionsReading | undefined,
  ): LoadBalancerPlan {
    const { service, wishes, ports, namespaceLabels } = input;
    const providerType = providerTypeOf(provider.spec) ?? 'announce';
    const asked = { service, provider, providerType, wishes, ports, reading };
    if (!takesFromPools(this.#context.providers.get(providerType), provider.spec)) {
      const desired = buildLoadBalancer({ ...asked, addresses: [] });
      return { desired, addresses: [], own: true, notes: reading?.ignored ?? [] };
    }
    const claimed = claimAddresses(this.#context, {
      owner: key,
      provider: provider.metadata.name,
      service,
      namespaceLabels,
    });
    // What was written past us is no claim, and goes at once.
    const current = (existing?.spec.addresses ?? []).filter(({ address }) => claimed.before.has(address));
    const retiring = retireAddresses({
      claimed: claimed.claims,
      current,
      shown: shownAddresses(this.#context, input, existing),
      settled: this.#settling.isOver(key),
      lost: claimed.lost,
    });
    const againAfterSeconds = this.#settling.follow(key, retiring.waiting);
    const desired = buildLoadBalancer({ ...asked, addresses: retiring.addresses });
    // What is refused must not be half carried out: new ports on an address that has no room for them.
    const frozen = claimed.refused !== undefined && existing !== undefined && claimed.claims.length > 0;
    return {
      desired: frozen ? { ...desired, spec: { ...existing.spec, addresses: retiring.addresses } } : desired,
      addresses: claimed.claims,
      refused: claimed.refused,
      notes: [...claimed.notes, ...(reading?.ignored ?? [])],
      againAfterSeconds,
    };
  }
}
