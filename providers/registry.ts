import type { ProviderType } from '../crds/common.ts';
import type { LoadBalancerProviderSpec } from '../crds/load-balancer-provider.ts';
import { createAnnounceProvider } from './announce/announce.ts';
import type { LiveAgents } from './announce/live-agents.ts';
import type { Provider } from './provider.ts';

/** What providers are made with. */
export interface ProviderContext {
  agents: LiveAgents;
}

/** Every provider, one line each. */
const FACTORIES: Readonly<Record<ProviderType, (context: ProviderContext) => Provider>> = {
  announce: ({ agents }) => createAnnounceProvider(agents),
};

export function createProviders(context: ProviderContext): ReadonlyMap<ProviderType, Provider> {
  const providers = new Map<ProviderType, Provider>();
  for (const type of providerTypes()) providers.set(type, FACTORIES[type](context));
  return providers;
}

/** Which member of the union a LoadBalancerProvider has set; undefined when none that is known here. */
export function providerTypeOf(spec: LoadBalancerProviderSpec): ProviderType | undefined {
  return providerTypes().find((type) => spec[type] !== undefined);
}

function providerTypes(): ProviderType[] {
  const types: ProviderType[] = [];
  for (const type in FACTORIES) if (isProviderType(type)) types.push(type);
  return types;
}

function isProviderType(type: string): type is ProviderType {
  return Object.hasOwn(FACTORIES, type);
}
