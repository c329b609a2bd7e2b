import type { Subject } from '../provider.ts';

/** The value of the tag `fairlead.dev/load-balancer`: which LoadBalancer something is for. */
export function memberOf({ id }: Pick<Subject, 'id'>): string {
  return `${id.namespace}/${id.name}`;
}

/** The value of the tag `fairlead.dev/stack`: the load balancer at AWS, alone or shared. */
export function stackOf({ id, provider, sharedAddress }: Subject): string {
  if (sharedAddress === undefined) return `${id.namespace}/${id.name}`;
  return `${id.namespace}/${sharedAddress}.${provider.name}:shared`;
}

/** Whether a stack, or a LoadBalancer, is of this provider; its name has no dot. */
export function isOfProvider(name: string, provider: string): boolean {
  return name.endsWith(`.${provider}`) || name.endsWith(`.${provider}:shared`);
}
