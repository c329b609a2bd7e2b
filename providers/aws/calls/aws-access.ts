import type { LoadBalancerProviderSpec } from '../../../crds/load-balancer-provider.ts';
import { ClassedError } from '../../../kube/errors.ts';
import type { LoadBalancerId, ProviderScope, Subject } from '../../provider.ts';
import { applyChange } from '../apply/apply.ts';
import { verifyNodeRules } from '../apply/verify-node-rules.ts';
import type { AwsChange } from '../changes.ts';
import type { AwsModel } from '../model.ts';
import { observeSubject } from '../observe/observe.ts';
import type { AwsObserved } from '../observed.ts';
import { isOfProvider } from '../stack-of.ts';
import { Scopes, type ScopesOptions } from './scope.ts';

/** The half of the provider that does I/O. */
export interface AwsAccess {
  observe(subject: Subject, applied: AwsModel | undefined, signal: AbortSignal): Promise<AwsObserved>;
  apply(change: AwsChange, subject: Subject, signal: AbortSignal): Promise<void>;
  refresh(
    provider: ProviderScope,
    clusterId: string,
    signal: AbortSignal,
    seen?: (ids: readonly LoadBalancerId[]) => void,
  ): Promise<LoadBalancerId[]>;
}

/** Nothing of AWS is loaded or called before the first `observe`. */
export function createAwsAccess(options: ScopesOptions): AwsAccess {
  const scopes = new Scopes(options);
  const inventoryOf = async (provider: ProviderScope, clusterId: string, signal: AbortSignal) =>
    (await scopes.of(provider, signal)).inventoryOf(clusterId);
  return {
    observe: async (subject, applied, signal) => {
      const inventory = await inventoryOf(subject.provider, subject.id.clusterId, signal);
      return observeSubject(inventory, subject, applied, signal);
    },
    apply: async (change, subject, signal) => {
      const inventory = await inventoryOf(subject.provider, subject.id.clusterId, signal);
      await applyChange(change, { inventory, subject, config: configOf(subject.provider), signal });
    },
    refresh: async (provider, clusterId, signal, seen = () => {}) => {
      const inventory = await inventoryOf(provider, clusterId, signal);
      // Another provider of the same account finds its own.
      const isOwn = ({ name }: LoadBalancerId) => isOfProvider(name, provider.name);
      const owners = await inventory.sweep(signal, (ids) => seen(ids.filter(isOwn)));
      await verifyNodeRules(inventory, provider.name, configOf(provider), {
        turn: '',
        inBackground: false,
        signal,
      });
      return owners.filter(isOwn);
    },
  };
}

function configOf({ name, spec }: ProviderScope): NonNullable<LoadBalancerProviderSpec['aws']> {
  if (spec.aws !== undefined) return spec.aws;
  const message = `LoadBalancerProvider "${name}" has no aws.`;
  throw new ClassedError(message, { class: 'Rejected', reason: 'WrongProviderType' });
}
