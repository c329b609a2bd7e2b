import type { ConfigObject, Configuration } from '../configuration.ts';
import { splitAddressPort } from '../members.ts';
import { list, type PlainObject, text } from '../plain.ts';

/**
 * What mcpd refuses when a configuration is loaded, in its words; undefined when it takes all of `incoming`. What is about to
 * go (`kind path`) is in nobody's way.
 */
export function findConflict(
  configuration: Configuration,
  incoming: readonly ConfigObject[],
  leaving: ReadonlySet<string>,
): string | undefined {
  const replaced = new Set(incoming.map(({ kind, path }) => `${kind} ${path}`));
  const staying = (kind: string) =>
    configuration
      .list(kind)
      .filter(({ path }) => !leaving.has(`${kind} ${path}`) && !replaced.has(`${kind} ${path}`));
  const nodes = byAddress(staying('ltm/node'));
  const addresses = byAddress(staying('ltm/virtual-address'));
  const virtuals = new Map<string, ConfigObject[]>();
  const listen = (virtual: ConfigObject) => {
    const key = listenerOf(virtual.properties);
    virtuals.set(key, [...(virtuals.get(key) ?? []), virtual]);
  };
  for (const virtual of staying('ltm/virtual')) listen(virtual);
  for (const one of incoming) {
    const address = text(one.properties.address);
    if (one.kind === 'ltm/node') {
      if (nodes.has(address)) return `0107176c:3: Invalid Node, the IP address ${address} already exists.`;
      nodes.set(address, one);
    } else if (one.kind === 'ltm/virtual-address') {
      if (addresses.has(address))
        return `0107176c:3: Invalid Virtual Address, the IP address ${address} already exists.`;
      addresses.set(address, one);
    } else if (one.kind === 'ltm/virtual') {
      const other = virtuals
        .get(listenerOf(one.properties))
        ?.find((there) => vlansMeet(one.properties, there.properties));
      if (other !== undefined) {
        return (
          `01070333:3: Virtual Server ${one.path} illegally shares destination address, source address, service port, ` +
          `ip-protocol, and vlan with Virtual Server ${other.path}.`
        );
      }
      listen(one);
    }
  }
  return undefined;
}

function byAddress(objects: readonly ConfigObject[]): Map<string, ConfigObject> {
  return new Map(objects.map((one) => [text(one.properties.address), one]));
}

/** Addresses are the same in each partition: it is the route domain that keeps them apart. */
function listenerOf(virtual: PlainObject): string {
  const { destination, source = '0.0.0.0/0', ipProtocol = 'tcp', '#listens': known } = virtual;
  if (typeof known === 'string') return known;
  const { address, port } = splitAddressPort(text(destination).split('/').at(-1) ?? '');
  return [address, port, source, ipProtocol].join(' ');
}

/** All VLANs, only these, or all but these. */
function vlansMeet(one: PlainObject, other: PlainObject): boolean {
  const [mine, theirs] = [list(one.vlans), list(other.vlans)];
  if (one.vlansEnabled === true && other.vlansEnabled === true)
    return mine.some((vlan) => theirs.includes(vlan));
  if (one.vlansEnabled === true) return mine.some((vlan) => !theirs.includes(vlan));
  if (other.vlansEnabled === true) return theirs.some((vlan) => !mine.includes(vlan));
  return true;
}
