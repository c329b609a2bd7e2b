import { isDeepStrictEqual } from 'node:util';
import type { LoadBalancer, LoadBalancerStatus } from '../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../crds/resources.ts';
import { applyStatus } from '../../kube/apply.ts';
import type { KubeClient } from '../../kube/client.ts';
import { type ConditionInput, setCondition } from '../../kube/conditions.ts';
import type { Condition, LoadBalancerIngress } from '../../kube/objects.ts';
import { FIELD_MANAGER } from '../plan/names.ts';

/** What is to be said in a LoadBalancer's status. */
export interface WantedStatus {
  provider:
    | {
        ingress: LoadBalancerIngress[];
        providerID?: string | undefined;
        targets?: LoadBalancerStatus['targets'];
      }
    | undefined;
  /** Digest of what is carried out wholly; undefined: something is left to do. */
  applied?: string | undefined;
  conditions: ConditionInput[];
}

/** The whole status as it ought to be, or undefined when the LoadBalancer says so already. */
export function planLoadBalancerStatus(
  loadBalancer: LoadBalancer,
  { provider, applied, conditions }: WantedStatus,
  now: string,
): LoadBalancerStatus | undefined {
  const before = loadBalancer.status?.conditions ?? [];
  let set: Condition[] = before;
  for (const condition of conditions) set = setCondition(set, condition, now);
  const types = new Set(conditions.map(({ type }) => type));
  const status: LoadBalancerStatus = {
    ...(loadBalancer.metadata.generation === undefined
      ? {}
      : { observedGeneration: loadBalancer.metadata.generation }),
    ...(provider?.providerID === undefined ? {} : { providerID: provider.providerID }),
    ...(provider === undefined || provider.ingress.length === 0 ? {} : { ingress: provider.ingress }),
    ...(applied === undefined ? {} : { applied }),
    ...(provider?.targets === undefined ? {} : { targets: provider.targets }),
    conditions: set.filter(({ type }) => types.has(type)),
  };
  // What edges say stands beside it, and is theirs.
  const { edges: _, ...told } = loadBalancer.status ?? {};
  return isDeepStrictEqual(status, told) ? undefined : status;
}

/** Server-side apply of a LoadBalancer's status; with its uid, so that a namesake doesn't get it. */
export async function writeLoadBalancerStatus(
  client: KubeClient,
  loadBalancer: LoadBalancer,
  status: LoadBalancerStatus,
): Promise<LoadBalancer> {
  const { name, namespace, uid } = loadBalancer.metadata;
  return await applyStatus(
    client,
    LOAD_BALANCERS,
    { metadata: { name, namespace, uid }, status },
    { fieldManager: FIELD_MANAGER },
  );
}
