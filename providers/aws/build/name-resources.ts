import { createHash } from 'node:crypto';

const LONGEST = 32;
const DIGEST = 12;
const PREFIX = 'fl-';

/**
 * A name of at most 32 letters, digits and dashes, as load balancers, target groups and security groups may have: something
 * to read, and a digest of `identity`. What is the same gets the same name, so that nothing is made twice.
 */
export function nameResource(readable: string, identity: readonly (string | number | boolean)[]): string {
  const digest = digestOf(identity).slice(0, DIGEST);
  const room = LONGEST - PREFIX.length - DIGEST - 1;
  const slug = readable
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .slice(0, room)
    .replace(/^-+|-+$/g, '');
  return `${PREFIX}${slug === '' ? 'x' : slug}-${digest}`;
}

export function digestOf(identity: readonly (string | number | boolean)[]): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}
