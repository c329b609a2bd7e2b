import { addressField, MONITOR_KINDS } from '../diff/expect-live.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { numberOf, textOf } from '../members.ts';
import type { FlatSettings, MemberState } from '../observed.ts';

/** Objects of one partition, as iControl REST lists them, by kind: `ltm/virtual`, ... */
export type Listing = Record<string, JsonObject[]>;

/** What a virtual server with a list of sources has in the place of address, port and source. */
const CRITERIA = 'ltm/traffic-matching-criteria';

/** One for each application, also where nothing is in it. */
export const FOLDER = 'sys/folder';

export const KINDS: readonly string[] = [
  // Before those that use them: an address that is made meanwhile is known with its user.
  'ltm/virtual-address',
  'ltm/virtual',
  'ltm/pool',
  ...MONITOR_KINDS.map((kind) => `ltm/monitor/${kind}`),
  'ltm/persistence/source-addr',
  'net/address-list',
  'net/port-list',
  CRITERIA,
  FOLDER,
];

/** What the device has of a tenant, by the folders that AS3 makes for applications. */
export interface LiveTenant {
  settings: Map<string, FlatSettings>;
  states: Map<string, Record<string, MemberState>>;
  /** By the address: it's in no folder, since several applications may use it. */
  addresses: Map<string, FlatSettings>;
}

/**
 * What may have been edited by hand, in the fields that `expectLive` makes of a declaration. Defaults that iControl REST
 * leaves out are filled in.
 */
export function flattenLive(tenant: string, listing: Listing): LiveTenant {
  const live: LiveTenant = { settings: new Map(), states: new Map(), addresses: new Map() };
  const criteria = new Map(
    (listing[CRITERIA] ?? []).map((item): [string, JsonObject] => [textOf(item.fullPath, ''), item]),
  );
  for (const [kind, items] of Object.entries(listing)) {
    // Compared as part of the virtual servers that have them.
    if (kind === CRITERIA) continue;
    for (const item of items) {
      const path = textOf(item.fullPath, '').split('/');
      const [, partition, application, name] = path;
      if (partition !== tenant) continue;
      if (kind === 'ltm/virtual-address') {
        addAddress(live.addresses, item);
        continue;
      }
      if (kind === FOLDER) {
        const isApplication = application !== undefined && path.length === 3;
        if (isApplication) live.settings.set(application, live.settings.get(application) ?? {});
        continue;
      }
      if (application === undefined || name === undefined || path.length !== 4) continue;
      const flat = live.settings.get(application) ?? {};
      live.settings.set(application, flat);
      if (kind === 'ltm/virtual')
        addVirtual(flat, name, item, { folder: `/${tenant}/${application}/`, criteria });
      else if (kind === 'ltm/pool') {
        addPool(flat, name, item, `/${tenant}/${application}/`);
        const states = live.states.get(application) ?? {};
        live.states.set(application, { ...states, ...readStates(name, membersIn(item)) });
      } else addSettings(flat, kind, name, item);
    }
  }
  return live;
}

/** By `<pool> <member>`. */
export function readStates(pool: string, members: readonly JsonObject[]): Record<string, MemberState> {
  return Object.fromEntries(members.map((member) => [`${pool} ${textOf(member.name, '')}`, stateOf(member)]));
}

/** `session` is what people set, `state` what monitors found; both are put together in what the device shows. */
function stateOf({ session, state }: JsonObject): MemberState {
  if (session === 'user-disabled' || state === 'user-down') return 'disabled';
  if (state === 'up' || state === 'fqdn-up') return 'up';
  return state === 'down' || state === 'checking' ? 'down' : 'unchecked';
}

function addAddress(addresses: Map<string, FlatSettings>, item: JsonObject): void {
  const address = textOf(item.address, '');
  const at = addressField(address);
  addresses.set(address, {
    [`${at}.enabled`]: textOf(item.enabled, 'yes'),
    [`${at}.arp`]: textOf(item.arp, 'enabled'),
  });
}

function addVirtual(
  flat: FlatSettings,
  name: string,
  item: JsonObject,
  { criteria, folder }: { folder: string; criteria: ReadonlyMap<string, JsonObject> },
): void {
  const translation = isJsonObject(item.sourceAddressTranslation) ? item.sourceAddressTranslation : {};
  const type = textOf(translation.type, 'none');
  flat[`${name}.ipProtocol`] = textOf(item.ipProtocol, 'any');
  flat[`${name}.pool`] = within(item.pool, folder);
  flat[`${name}.state`] = item.disabled === true ? 'disabled' : 'enabled';
  flat[`${name}.connectionLimit`] = String(numberOf(item.connectionLimit));
  flat[`${name}.snat`] = type === 'snat' ? textOf(translation.pool, '') : type;
  flat[`${name}.vlans`] =
    item.vlansEnabled === true
      ? textsIn(item.vlans).sort().join(', ')
      : item.vlans === undefined
        ? ''
        : 'all but some';
  flat[`${name}.rules`] = textsIn(item.rules).join(', ');
  flat[`${name}.persist`] = (Array.isArray(item.persist) ? item.persist.filter(isJsonObject) : [])
    .map((each) => textOf(each.name, ''))
    .join(', ');
  if (item.trafficMatchingCriteria !== undefined) {
    addCriteria(flat, name, criteria.get(textOf(item.trafficMatchingCriteria, '')) ?? {}, folder);
    return;
  }
  flat[`${name}.destination`] = lastOf(textOf(item.destination, ''));
  flat[`${name}.source`] = sourceOf(textOf(item.source, ''));
}

/** Lists by their names, where there are any; AS3 writes the address with its mask. */
function addCriteria(flat: FlatSettings, name: string, item: JsonObject, folder: string): void {
  const { destinationAddressInline, destinationPortInline, sourceAddressInline } = item;
  const [address = ''] = textOf(destinationAddressInline, '').split('/');
  flat[`${name}.destination`] = within(item.destinationAddressList, folder) || address;
  flat[`${name}.port`] = within(item.destinationPortList, folder) || textOf(destinationPortInline, '');
  flat[`${name}.source`] =
    within(item.sourceAddressList, folder) || sourceOf(textOf(sourceAddressInline, ''));
  flat[`${name}.matchedProtocol`] = textOf(item.protocol, 'any');
}

function addPool(flat: FlatSettings, name: string, item: JsonObject, folder: string): void {
  flat[`${name}.loadBalancingMode`] = textOf(item.loadBalancingMode, 'round-robin');
  flat[`${name}.minActiveMembers`] = String(numberOf(item.minActiveMembers));
  flat[`${name}.monitor`] = monitorOf(textOf(item.monitor, ''), folder);
  for (const member of membersIn(item)) {
    const at = `${name}.members[${textOf(member.name, '')}]`;
    flat[at] = stateOf(member) === 'disabled' ? 'disabled' : 'enabled';
    flat[`${at}.connectionLimit`] = String(numberOf(member.connectionLimit));
    flat[`${at}.priorityGroup`] = String(numberOf(member.priorityGroup));
  }
}

function addSettings(flat: FlatSettings, kind: string, name: string, item: JsonObject): void {
  if (kind === 'net/address-list') {
    flat[`${name}.addresses`] = namesIn(item.addresses).sort().join(', ');
    return;
  }
  if (kind === 'net/port-list') {
    flat[`${name}.ports`] = namesIn(item.ports).sort().join(', ');
    return;
  }
  if (kind.startsWith('ltm/monitor/')) flat[`${name}.interval`] = String(item.interval ?? 0);
  flat[`${name}.timeout`] = String(item.timeout ?? 0);
  if (kind !== 'ltm/monitor/http') return;
  flat[`${name}.destination`] = textOf(item.destination, '*:*');
  flat[`${name}.send`] = textOf(item.send, '');
  flat[`${name}.recv`] = textOf(item.recv, '');
}

function membersIn(pool: JsonObject): JsonObject[] {
  const { membersReference } = pool;
  if (!isJsonObject(membersReference) || !Array.isArray(membersReference.items)) return [];
  return membersReference.items.filter(isJsonObject);
}

/** `min 1 of { /T/A/monitor }` and `/T/A/monitor` mean the same here: there's one. */
function monitorOf(rule: string, folder: string): string {
  const inner = /^min \S+ of \{(.*)\}$/.exec(rule.trim())?.[1] ?? rule;
  return inner
    .split(/\s+and\s+|\s+/)
    .filter((each) => each !== '')
    .map((each) => within(each, folder))
    .join(', ');
}

function sourceOf(source: string): string {
  return ['', '0.0.0.0', '0.0.0.0/0', '::', '::/0'].includes(source) ? 'any' : source;
}

function within(path: Json | undefined, folder: string): string {
  const text = textOf(path, '');
  return text.startsWith(folder) ? text.slice(folder.length) : text;
}

/** `/T/192.0.2.1:80` without the folder. */
function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** `[{name: '192.0.2.0/24'}]`. */
function namesIn(list: Json | undefined): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each) => textOf(isJsonObject(each) ? each.name : each, '') || []);
}

function textsIn(list: Json | undefined): string[] {
  return Array.isArray(list) ? list.flatMap((each) => (typeof each === 'string' ? each : [])) : [];
}
