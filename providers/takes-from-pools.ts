import type { LoadBalancerProviderSpec } from '../crds/load-balancer-provider.ts';
import type { Provider } from './provider.ts';

/** Whether addresses are claimed from AddressPools before `build`, for a provider that is configured like this. */
export function takesFromPools(provider: Provider | undefined, spec: LoadBalancerProviderSpec): boolean {
  return provider?.choosesPools?.(spec) ?? provider?.addressesFromPools ?? false;
}
