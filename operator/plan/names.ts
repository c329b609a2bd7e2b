import { GROUP } from '../../crds/resources.ts';
import type { KubeObject, Service } from '../../kube/objects.ts';

export const FINALIZER = `${GROUP}/load-balancer-cleanup`;
export const SERVICE_LABEL = `${GROUP}/service-name`;
export const PROVIDER_LABEL = `${GROUP}/provider`;
/** Field manager of Service status and of our own kinds. */
export const FIELD_MANAGER = 'fairlead';
const CLASS_PREFIX = `${GROUP}/`;

/** `<service>.<provider>`: a Service's name has no dot, so no two pairs share a name. */
export function loadBalancerName(serviceName: string, providerName: string): string {
  return `${serviceName}.${providerName}`;
}

/** The provider that a `spec.loadBalancerClass` names; undefined for a class that isn't ours. */
export function providerOfClass(loadBalancerClass: string): string | undefined {
  const name = loadBalancerClass.startsWith(CLASS_PREFIX) ? loadBalancerClass.slice(CLASS_PREFIX.length) : '';
  return name === '' || name.includes('/') ? undefined : name;
}

export function hasFinalizer(service: Service): boolean {
  return service.metadata.finalizers?.includes(FINALIZER) ?? false;
}

export function isBeingDeleted(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined;
}

/** The one condition that we have on a Service. */
export const SERVICE_CONDITION = `${GROUP}/LoadBalancerReady`;
