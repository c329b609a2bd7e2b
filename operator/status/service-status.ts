import { isDeepStrictEqual } from 'node:util';
import type { KubeClient } from '../../kube/client.ts';
import { type ConditionInput, findCondition, setCondition } from '../../kube/conditions.ts';
import type { Condition, LoadBalancerIngress, Service } from '../../kube/objects.ts';
import { SERVICES } from '../../kube/resources.ts';
import { FIELD_MANAGER, FINALIZER, hasFinalizer, SERVICE_CONDITION } from '../plan/names.ts';

/** All that is ours on a Service: what isn't named is taken off. */
export interface ServiceStatus {
  /** The finalizer goes with the status, in one write: the status subresource takes metadata too. */
  finalizer: boolean;
  ingress: LoadBalancerIngress[];
  condition?: ConditionInput | undefined;
}

/** What would be written, or undefined when the Service says so already. */
export function planServiceStatus(service: Service, wanted: ServiceStatus, now: string): object | undefined {
  const conditions = wanted.condition === undefined ? [] : [resolve(service, wanted.condition, now)];
  const same =
    hasFinalizer(service) === wanted.finalizer &&
    isDeepStrictEqual(ingressOf(service), wanted.ingress) &&
    isDeepStrictEqual(ownCondition(service), conditions[0]);
  if (same) return undefined;
  const { name, namespace, uid } = service.metadata;
  return {
    metadata: {
      name,
      namespace,
      uid,
      ...(wanted.finalizer ? { finalizers: [FINALIZER] } : {}),
    },
    status: {
      ...(wanted.ingress.length === 0 ? {} : { loadBalancer: { ingress: wanted.ingress } }),
      ...(conditions.length === 0 ? {} : { conditions }),
    },
  };
}

/**
 * Server-side apply of `planServiceStatus`, by which fields of others stay untouched. Throws Conflict when the Service is
 * another one by now, NotFound when it's gone.
 */
export async function writeServiceStatus(
  client: KubeClient,
  service: Service,
  plan: object,
): Promise<Service> {
  const { namespace, name } = service.metadata;
  return await client.patch(
    SERVICES,
    namespace,
    name,
    { apiVersion: 'v1', kind: 'Service', ...plan },
    { contentType: 'apply', subresource: 'status', fieldManager: FIELD_MANAGER, force: true },
  );
}

export function ingressOf(service: Service): LoadBalancerIngress[] {
  return service.status?.loadBalancer?.ingress ?? [];
}

export function ownCondition(service: Service): Condition | undefined {
  return findCondition(service.status?.conditions, SERVICE_CONDITION);
}

function resolve(service: Service, input: ConditionInput, now: string): Condition | undefined {
  return findCondition(setCondition(service.status?.conditions, input, now), input.type);
}
