import type { BigipConfig } from '../../crds/bigip-provider.ts';
import { ClassedError } from '../../kube/errors.ts';
import type { ProviderScope } from '../provider.ts';

/** What a provider of this type says of itself. */
export function configOf({ name, spec }: ProviderScope): BigipConfig {
  if (spec.bigip !== undefined) return spec.bigip;
  const message = `LoadBalancerProvider "${name}" has no bigip.`;
  throw new ClassedError(message, { class: 'Rejected', reason: 'WrongProviderType' });
}
