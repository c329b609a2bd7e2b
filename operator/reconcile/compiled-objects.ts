import type { ProviderType } from '../../crds/common.ts';
import type { LoadBalancerProviderSpec } from '../../crds/load-balancer-provider.ts';
import type { Finding, Provider } from '../../providers/provider.ts';
import { providerTypeOf } from '../../providers/registry.ts';
import { type CompiledAddressPool, compileAddressPools } from '../allocate/compile-address-pools.ts';
import { type CompiledPortPool, compilePortPools } from '../allocate/compile-port-pools.ts';
import type { PortRange } from '../allocate/port-ranges.ts';
import { isBeingDeleted } from '../plan/names.ts';
import type { KnownProvider } from '../plan/select-providers.ts';
import type { Caches } from './caches.ts';

/** Pools and providers as the pure stages want them, read once for each change of theirs, not once for each Service. */
export class CompiledObjects {
  readonly #addressPools: () => readonly CompiledAddressPool[];
  readonly #portPools: () => readonly CompiledPortPool[];
  readonly #providers: () => ReadonlyMap<string, KnownProvider>;
  #stale = { addressPools: true, portPools: true, providers: true };

  constructor(
    caches: Pick<Caches, 'addressPools' | 'portPools' | 'providers'>,
    options: { nodePortRange: PortRange; implementations: ReadonlyMap<ProviderType, Provider> },
  ) {
    this.#addressPools = remember(
      () => this.#take('addressPools'),
      // A pool on its way out gives out nothing more; what it gave is kept by its claims.
      () => compileAddressPools(caches.addressPools.store.list().map(disableWhenDeleted)),
    );
    this.#portPools = remember(
      () => this.#take('portPools'),
      () => compilePortPools(caches.portPools.store.list().map(disableWhenDeleted), options.nodePortRange),
    );
    this.#providers = remember(
      () => this.#take('providers'),
      () => {
        const known = caches.providers.store.list().map((object): [string, KnownProvider] => {
          return [object.metadata.name, { object, findings: validate(object.spec, options.implementations) }];
        });
        return new Map(known);
      },
    );
    caches.addressPools.store.onChange(() => {
      this.#stale.addressPools = true;
    });
    caches.portPools.store.onChange(() => {
      this.#stale.portPools = true;
    });
    caches.providers.store.onChange(() => {
      this.#stale.providers = true;
    });
  }

  /** In the order in which they are tried. */
  get addressPools(): readonly CompiledAddressPool[] {
    return this.#addressPools();
  }

  get portPools(): readonly CompiledPortPool[] {
    return this.#portPools();
  }

  /** By name. */
  get providers(): ReadonlyMap<string, KnownProvider> {
    return this.#providers();
  }

  #take(what: 'addressPools' | 'portPools' | 'providers'): boolean {
    const stale = this.#stale[what];
    this.#stale[what] = false;
    return stale;
  }
}

function validate(
  spec: LoadBalancerProviderSpec,
  implementations: ReadonlyMap<ProviderType, Provider>,
): Finding[] {
  const type = providerTypeOf(spec);
  const implementation = type === undefined ? undefined : implementations.get(type);
  if (implementation !== undefined) return implementation.validate(spec);
  return [
    {
      reason: 'UnknownProviderType',
      message: `It sets none of ${[...implementations.keys()].join(', ')}: set exactly one.`,
    },
  ];
}

function disableWhenDeleted<
  T extends { metadata: { deletionTimestamp?: string; name: string }; spec: { disabled: boolean } },
>(pool: T): T {
  return isBeingDeleted(pool) ? { ...pool, spec: { ...pool.spec, disabled: true } } : pool;
}

function remember<T>(isStale: () => boolean, compute: () => T): () => T {
  let value: { of: T } | undefined;
  return () => {
    if (value === undefined || isStale()) value = { of: compute() };
    return value.of;
  };
}
