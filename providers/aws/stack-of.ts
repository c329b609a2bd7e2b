import type { Subject } from '../provider.ts';
import { OWNER_TAGS } from './tags.ts';

/** The value of the tag `fairlead.dev/load-balancer`: which LoadBalancer something is for. */
export function memberOf({ id }: Pick<Subject, 'id'>): string {
  return `${id.namespace}/${id.name}`;
}

/** The value of the tag `fairlead.dev/stack`: the load balancer at AWS, alone or shared. */
export function stackOf({ id, provider, sharedAddress }: Subject): string {
  if (sharedAddress === undefined) return `${id.namespace}/${id.name}`;
  return `${id.namespace}/${sharedAddress}.${provider.name}:shared`;
}

/**
 * Whose something is, by its tags. What isn't shared is its stack's, whatever the tag says that names the member: that one is
 * put right, and nothing that serves is taken for another's.
 */
export function memberByTags(tags: Readonly<Record<string, string>>): string | undefined {
  const stack = tags[OWNER_TAGS.stack];
  return stack === undefined || stack.endsWith(':shared') ? tags[OWNER_TAGS.member] : stack;
}

/** Whether a stack, or a LoadBalancer, is of this provider; its name has no dot. */
export function isOfProvider(name: string, provider: string): boolean {
  return name.endsWith(`.${provider}`) || name.endsWith(`.${provider}:shared`);
}
