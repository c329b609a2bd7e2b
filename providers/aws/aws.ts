import type { LoadBalancerProviderSpec } from '../../crds/load-balancer-provider.ts';
import { ClassedError } from '../../kube/errors.ts';
import type { Provider, ProviderScope } from '../provider.ts';
import { applyChange } from './apply.ts';
import { verifyNodeRules } from './backend-rules.ts';
import { buildModel } from './build-model.ts';
import type { AwsChange } from './changes.ts';
import { diffSubject } from './diff-subject.ts';
import type { AwsModel } from './model.ts';
import { observeSubject } from './observe.ts';
import type { AwsObserved } from './observed.ts';
import { readAnnotations } from './read-annotations.ts';
import { Scopes, type ScopesOptions } from './scope.ts';
import { tellStatus } from './status.ts';
import { validateAws } from './validate-aws.ts';

export type { AwsCallReport } from './call-aws.ts';
export type AwsProvider = Provider<AwsModel, AwsObserved, AwsChange>;

/**
 * AWS Network Load Balancers, one a Service or one for several, on ELBv2 and EC2. Nothing of AWS is loaded or called before
 * the first `observe`.
 */
export function createAwsProvider(options: ScopesOptions): AwsProvider {
  const scopes = new Scopes(options);
  return {
    type: 'aws',
    addressesFromPools: false,
    external: true,
    validate: validateAws,
    readOptions: readAnnotations,
    build: buildModel,
    observe: async (subject, applied, signal) => {
      const scope = await scopes.of(subject.provider, signal);
      return observeSubject(scope.inventoryOf(subject.id.clusterId), subject, applied, signal);
    },
    diff: diffSubject,
    apply: async (change, subject, signal) => {
      const scope = await scopes.of(subject.provider, signal);
      const inventory = scope.inventoryOf(subject.id.clusterId);
      await applyChange(change, { inventory, subject, config: configOf(subject.provider), signal });
    },
    status: tellStatus,
    refresh: async (provider, clusterId, signal) => {
      const scope = await scopes.of(provider, signal);
      const inventory = scope.inventoryOf(clusterId);
      const owners = await inventory.sweep(signal);
      await verifyNodeRules(inventory, configOf(provider), { turn: '', inBackground: true, signal });
      // Another provider of the same account finds its own.
      return owners.filter(({ name }) => isOf(name, provider.name));
    },
  };
}

/** `<service>.<provider>`, or `<shared-address>.<provider>:shared`; a provider's name has no dot. */
function isOf(name: string, provider: string): boolean {
  return name.endsWith(`.${provider}`) || name.endsWith(`.${provider}:shared`);
}

function configOf({ name, spec }: ProviderScope): NonNullable<LoadBalancerProviderSpec['aws']> {
  if (spec.aws !== undefined) return spec.aws;
  const message = `LoadBalancerProvider "${name}" has no aws.`;
  throw new ClassedError(message, { class: 'Rejected', reason: 'WrongProviderType' });
}
