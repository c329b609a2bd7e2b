import { isClass } from '../../kube/errors.ts';
import type { Provider } from '../../providers/provider.ts';

export type ProviderCall = 'observe' | 'apply' | 'refresh';

/** Told of each call of a provider that does I/O: what it was, `ok` or the class of the error, and how long it took. */
export type ProviderObserver = (type: string, call: ProviderCall, result: string, seconds: number) => void;

/** The same provider, with what does I/O measured. */
export function measureProvider(provider: Provider, tell: ProviderObserver): Provider {
  const measured = async <T>(call: ProviderCall, work: () => Promise<T>): Promise<T> => {
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
  const { choosesPools, greet, readiness, readOptions, refresh } = provider;
  return {
    type: provider.type,
    addressesFromPools: provider.addressesFromPools,
    ...(choosesPools === undefined ? {} : { choosesPools: (spec) => choosesPools.call(provider, spec) }),
    external: provider.external,
    validate: (spec) => provider.validate(spec),
    ...(readiness === undefined ? {} : { readiness: (spec) => readiness.call(provider, spec) }),
    ...(greet === undefined ? {} : { greet: (scope, signal) => greet.call(provider, scope, signal) }),
    ...(readOptions === undefined
      ? {}
      : { readOptions: (annotations, spec) => readOptions.call(provider, annotations, spec) }),
    build: (desired) => provider.build(desired),
    observe: (subject, applied, signal) =>
      measured('observe', () => provider.observe(subject, applied, signal)),
    diff: (model, observed) => provider.diff(model, observed),
    apply: (change, subject, signal) => measured('apply', () => provider.apply(change, subject, signal)),
    status: (model, observed) => provider.status(model, observed),
    ...(refresh === undefined
      ? {}
      : {
          refresh: (scope, clusterId, signal, seen) =>
            measured('refresh', () => refresh.call(provider, scope, clusterId, signal, seen)),
        }),
  };
}
