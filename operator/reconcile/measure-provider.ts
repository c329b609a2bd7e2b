import { isClass } from '../../kube/errors.ts';
import type { Provider } from '../../providers/provider.ts';

/** Told of each call of a provider that does I/O: what it was, `ok` or the class of the error, and how long it took. */
export type ProviderObserver = (
  type: string,
  call: 'observe' | 'apply',
  result: string,
  seconds: number,
) => void;

/** The same provider, with `observe` and `apply` measured. */
export function measureProvider(provider: Provider, tell: ProviderObserver): Provider {
  const measured = async <T>(call: 'observe' | 'apply', work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now();
    const done = (result: string) =>
      tell(provider.type, call, result, (performance.now() - startedAt) / 1000);
    try {
      const answer = await work();
      done('ok');
      return answer;
    } catch (error) {
      done(isClass(error) ? error.class : 'Unclassed');
      throw error;
    }
  };
  return {
    type: provider.type,
    addressesFromPools: provider.addressesFromPools,
    external: provider.external,
    validate: (spec) => provider.validate(spec),
    readiness: (spec) => provider.readiness?.(spec),
    build: (desired) => provider.build(desired),
    observe: (id) => measured('observe', () => provider.observe(id)),
    diff: (model, observed) => provider.diff(model, observed),
    apply: (change, signal) => measured('apply', () => provider.apply(change, signal)),
    status: (model, observed) => provider.status(model, observed),
  };
}
