import { isIP } from 'node:net';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { textOf } from '../members.ts';
import type { Listing } from './flatten-live.ts';

/**
 * AS3 makes these for applications, and has them directly in the partition: several applications may use one. So it sees to
 * all of them in declarations of one application, too (src/lib/audit.js of f5-appsvcs-extension).
 */
const SHARED_KINDS: ReadonlySet<string> = new Set([
  'ltm/node',
  'ltm/virtual-address',
  'ltm/snat-translation',
]);

/** What lies in a partition and in no application. */
export interface LooseObject {
  path: string;
  /** AS3 removes it with whatever it does in the partition; all else only where it's told the whole tenant. */
  isAtRisk: boolean;
}

export interface PartitionContents {
  tenant: string;
  /** As they are declared. */
  applications: ReadonlyMap<string, JsonObject>;
  /** What may be in the partition by hand. */
  listing: Listing;
  /** Virtual servers with `destination`, pools with their members, and traffic matching criteria. */
  users: Listing;
}

/**
 * What lies directly in a partition, in no folder of an application, and is used by none: nobody declared it,
 * and AS3 would remove it. Of nodes and addresses that are used, those that declarations name are known as well as those that
 * the device's own pools and virtual servers have: one may be older than the other.
 */
export function findLoose({ applications, listing, tenant, users }: PartitionContents): LooseObject[] {
  const used = new Set<string>();
  for (const application of applications.values()) addAddresses(used, application);
  for (const item of Object.values(users).flat()) addUsed(used, item, tenant);
  used.delete('');
  return Object.entries(listing).flatMap(([kind, items]) =>
    items.flatMap((item) => {
      const path = textOf(item.fullPath, '');
      const [, partition, name = '', ...more] = path.split('/');
      if (partition !== tenant || name === '' || more.length > 0) return [];
      const isUsed = used.has(plain(name)) || used.has(plain(textOf(item.address, '')));
      const isAtRisk = SHARED_KINDS.has(kind);
      return isAtRisk && isUsed ? [] : [{ path, isAtRisk }];
    }),
  );
}

/** Whatever in a declaration is an address: as a text, or as a name. */
function addAddresses(addresses: Set<string>, value: Json): void {
  if (typeof value === 'string') {
    if (isIP(plain(value)) !== 0) addresses.add(plain(value));
  } else if (Array.isArray(value)) for (const each of value) addAddresses(addresses, each);
  else if (isJsonObject(value))
    for (const each of Object.entries(value).flat()) addAddresses(addresses, each);
}

/** A pool's members and a virtual server's address; what lies loose itself uses nothing. */
function addUsed(used: Set<string>, item: JsonObject, tenant: string): void {
  const [, partition, , ...inFolder] = textOf(item.fullPath, '').split('/');
  if (partition !== tenant || inFolder.length === 0) return;
  const { destination, destinationAddressInline, membersReference } = item;
  used.add(nameOf(textOf(destination, '')));
  used.add(plain(textOf(destinationAddressInline, '')));
  const members = isJsonObject(membersReference) ? membersReference.items : undefined;
  for (const member of Array.isArray(members) ? members.filter(isJsonObject) : []) {
    used.add(nameOf(textOf(member.fullPath, '')));
    used.add(plain(textOf(member.address, '')));
  }
}

/** `/T/192.0.2.1:80` and `/T/2001:db8::1.80` without partition and port. */
function nameOf(path: string): string {
  return plain(path.slice(path.lastIndexOf('/') + 1).replace(/[.:][^.:]+$/, ''));
}

/** Without route domain and mask. */
function plain(address: string): string {
  return address.replace(/[%/].*$/, '');
}
