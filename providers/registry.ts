import type { ProviderType } from '../crds/common.ts';
import type { LoadBalancerProviderSpec } from '../crds/load-balancer-provider.ts';
import { createAnnounceProvider } from './announce/announce.ts';
import type { LiveAgents } from './announce/live-agents.ts';
import { createAwsProvider } from './aws/aws.ts';
import { createBigipProvider } from './bigip/bigip.ts';
import type { Edges } from './haproxy/edges.ts';
import { createHaproxyProvider } from './haproxy/haproxy.ts';
import type { Provider } from './provider.ts';
import { createWebhookProvider } from './webhook/webhook.ts';

/** What providers are made with. */
export interface ProviderContext {
  agents: LiveAgents;
  edges: Edges;
  /** The decoded values of a Secret in Fairlead's namespace. Throws NotFound where there is none. */
  readSecret(name: string, signal: AbortSignal): Promise<Record<string, string>>;
  /** The texts of a ConfigMap there. Throws NotFound where there is none. */
  readConfigMap(name: string, signal: AbortSignal): Promise<Record<string, string>>;
  /** Told when a LoadBalancerProvider's `readiness` may have changed; `recovered`: what waits for it may go on. */
  tellProvider(name: string, recovered: boolean): void;
  /** Told of each call of a cloud's API. */
  observeCall(call: CloudCall): void;
}

/** One call of a cloud's API: each attempt counts. */
export interface CloudCall {
  provider: ProviderType;
  /** `CreateLoadBalancer`, ... */
  operation: string;
  /** `ok`, or the API's error code. */
  code: string;
  seconds: number;
}

/** Every provider, one line each. */
const FACTORIES: Readonly<Record<ProviderType, (context: ProviderContext) => Provider>> = {
  announce: ({ agents }) => createAnnounceProvider(agents),
  aws: ({ observeCall, readSecret }) =>
    createAwsProvider({
      readSecret,
      observeCall: ({ code, operation, seconds }) =>
        observeCall({ provider: 'aws', operation, code, seconds }),
    }),
  haproxy: ({ edges }) => createHaproxyProvider(edges),
  bigip: ({ observeCall, readSecret }) =>
    createBigipProvider({ readSecret, observeCall: (call) => observeCall({ provider: 'bigip', ...call }) }),
  webhook: ({ observeCall, ...context }) =>
    createWebhookProvider({
      ...context,
      observeCall: (call) => observeCall({ provider: 'webhook', ...call }),
    }),
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
