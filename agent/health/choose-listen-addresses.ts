import { isIPv6 } from 'node:net';
import type { Node } from '../../kube/objects.ts';
import { collectNodePortAddresses } from '../collect-node-addresses.ts';
import type { Family } from '../endpoints/canonical-address.ts';

export type ListenAddresses = Readonly<Record<Family, readonly string[]>>;

const WILDCARD: Readonly<Record<Family, string>> = { ip: '0.0.0.0', ip6: '::' };

/**
 * Where health checks of Services are answered: where node ports are (`NewServiceHealthServer` in kube-proxy). CIDRs that
 * leave out no address of a family make it one socket for all of them.
 */
export function chooseListenAddresses(
  choice: 'primary' | readonly string[],
  node: Node | undefined,
  local: readonly string[],
): ListenAddresses {
  const found = collectNodePortAddresses(choice, node, local);
  const here = new Set(local);
  const listen = (family: Family): string[] => {
    if (choice !== 'primary' && matchesAll(choice, family)) return [WILDCARD[family]];
    // A Node may call its own what only a router in front of it has.
    return found.filter((each) => each.family === family && here.has(each.key)).map(({ key }) => key);
  };
  return { ip: listen('ip'), ip6: listen('ip6') };
}

/** No CIDR of the family, or one of all its addresses. */
function matchesAll(cidrs: readonly string[], family: Family): boolean {
  const own = cidrs.filter((cidr) => isIPv6(cidr.split('/')[0] ?? '') === (family === 'ip6'));
  return own.length === 0 || own.some((cidr) => cidr.endsWith('/0'));
}
