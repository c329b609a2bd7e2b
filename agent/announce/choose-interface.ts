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
  return parseAddress(address)?.text;
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
  const parsed = parseAddress(address)?.parsed;
  const [network, bits] = parseSubnet(subnet) ?? [];
  if (parsed === undefined || network === undefined || bits === undefined) return undefined;
  return parsed.kind() === network.kind() && parsed.match(network, bits) ? bits : undefined;
}

const parseAddress = remembering((address) => {
  if (!ipaddr.isValid(address)) return undefined;
  const parsed = ipaddr.parse(address);
  return { parsed, text: parsed.toString() };
});

const parseSubnet = remembering((subnet) =>
  ipaddr.isValidCIDR(subnet) ? ipaddr.parseCIDR(subnet) : undefined,
);

/** More than any cluster announces; a few megabytes. */
const MOST_REMEMBERED = 10_000;

/**
 * Every change of a member or of a LoadBalancer decides on all addresses anew, each against every member's subnets: to parse
 * them each time took an agent with eighty addresses longer than to take one.
 */
function remembering<T>(parse: (text: string) => T): (text: string) => T {
  const known = new Map<string, { parsed: T }>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found.parsed;
    if (known.size >= MOST_REMEMBERED) known.clear();
    const parsed = parse(text);
    known.set(text, { parsed });
    return parsed;
  };
}
