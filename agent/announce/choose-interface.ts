import ipaddr from 'ipaddr.js';
import type { IpFamily } from '../../kube/objects.ts';

/** What matters of one interface of a node, for any node: nodes tell each other theirs. */
export interface NodeInterface {
  name: string;
  /** Its own addresses with their subnets, `198.18.0.11/24`; no host routes, no link-local ones. */
  subnets: string[];
  /** Families whose default route goes out here. */
  defaultRoute: IpFamily[];
}

export type InterfaceChoice =
  | { interface: string; because: 'Configured' | 'SubnetHoldsAddress' | 'DefaultRoute' }
  | { interface?: undefined; reason: 'NoSuchInterface' | 'NoInterfaceForAddress' };

/**
 * The interface that answers for an address: of the configured ones the first that the node has (one whose subnet holds
 * the address goes before); without configured ones the one with the narrowest subnet that holds it, else the default
 * route's.
 */
export function chooseInterface(
  address: string,
  interfaces: readonly NodeInterface[],
  configured: readonly string[] = [],
): InterfaceChoice {
  if (configured.length > 0) {
    const present = configured.flatMap((name) => interfaces.filter((candidate) => candidate.name === name));
    const chosen = narrowest(address, present) ?? present[0];
    return chosen === undefined
      ? { reason: 'NoSuchInterface' }
      : { interface: chosen.name, because: 'Configured' };
  }
  const onLink = narrowest(address, interfaces);
  if (onLink !== undefined) return { interface: onLink.name, because: 'SubnetHoldsAddress' };
  const family = familyOf(address);
  const route = interfaces.find((candidate) => candidate.defaultRoute.includes(family));
  return route === undefined
    ? { reason: 'NoInterfaceForAddress' }
    : { interface: route.name, because: 'DefaultRoute' };
}

export function familyOf(address: string): IpFamily {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** The one spelling of an address that `ip` and everything here uses; undefined when it isn't one. */
export function canonicalAddress(address: string): string | undefined {
  return ipaddr.isValid(address) ? ipaddr.parse(address).toString() : undefined;
}

function narrowest(address: string, interfaces: readonly NodeInterface[]): NodeInterface | undefined {
  let best: { interface: NodeInterface; bits: number } | undefined;
  for (const candidate of interfaces) {
    for (const subnet of candidate.subnets) {
      const bits = matchingBits(address, subnet);
      if (bits !== undefined && bits > (best?.bits ?? -1)) best = { interface: candidate, bits };
    }
  }
  return best?.interface;
}

/** The prefix length of a subnet that holds the address. */
function matchingBits(address: string, subnet: string): number | undefined {
  if (!ipaddr.isValid(address) || !ipaddr.isValidCIDR(subnet)) return undefined;
  const parsed = ipaddr.parse(address);
  const [network, bits] = ipaddr.parseCIDR(subnet);
  return parsed.kind() === network.kind() && parsed.match(network, bits) ? bits : undefined;
}
