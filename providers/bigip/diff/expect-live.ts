import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { membersOf, numberOf, objectsOf, poolsOf, textOf } from '../members.ts';
import { memberName } from '../names.ts';
import type { FlatSettings } from '../observed.ts';

/** Types of monitors at iControl REST; AS3's icmp is a gateway-icmp there, and was an icmp in old versions. */
export const MONITOR_KINDS: readonly string[] = ['http', 'tcp', 'icmp', 'gateway-icmp'];

/**
 * What iControl REST tells of an application once it is carried out, in those fields that are compared: what somebody may
 * edit by hand on the device. `flattenLive` makes the same of what the device tells.
 */
export function expectLive(application: JsonObject): FlatSettings {
  const flat: FlatSettings = {};
  for (const [name, virtual] of objectsOf(application, isService)) expectVirtual(flat, name, virtual);
  for (const address of addressesOf(application)) {
    flat[`${addressField(address)}.enabled`] = 'yes';
    flat[`${addressField(address)}.arp`] = 'enabled';
  }
  for (const [name, pool] of poolsOf(application)) {
    flat[`${name}.loadBalancingMode`] = textOf(pool.loadBalancingMode, 'round-robin');
    flat[`${name}.minActiveMembers`] = String(numberOf(pool.minimumMembersActive, 1));
    flat[`${name}.monitor`] = namesIn(pool.monitors).join(', ');
    for (const { adminState, connectionLimit, name: member, priority } of membersOf(pool)) {
      const at = `${name}.members[${member}]`;
      flat[at] = adminState === 'enable' ? 'enabled' : 'disabled';
      flat[`${at}.connectionLimit`] = String(connectionLimit);
      flat[`${at}.priorityGroup`] = String(priority);
    }
  }
  for (const [name, monitor] of objectsOf(application, (each) => each === 'Monitor')) {
    flat[`${name}.interval`] = String(numberOf(monitor.interval));
    flat[`${name}.timeout`] = String(numberOf(monitor.timeout));
    if (monitor.monitorType !== 'http') continue;
    flat[`${name}.destination`] =
      monitor.targetPort === undefined ? '*:*' : `*:${numberOf(monitor.targetPort)}`;
    flat[`${name}.send`] = textOf(monitor.send, '');
    flat[`${name}.recv`] = textOf(monitor.receive, '');
  }
  for (const [name, list] of objectsOf(application, (each) => each === 'Net_Address_List')) {
    flat[`${name}.addresses`] = namesIn(list.addresses).sort().join(', ');
  }
  for (const [name, { ports }] of objectsOf(application, (each) => each === 'Net_Port_List')) {
    flat[`${name}.ports`] = Array.isArray(ports) ? ports.map(String).sort().join(', ') : '';
  }
  for (const [name, { duration }] of objectsOf(application, (each) => each === 'Persist')) {
    flat[`${name}.timeout`] = String(numberOf(duration, 180));
  }
  return flat;
}

/** Each once. */
export function addressesOf(application: JsonObject): string[] {
  const all = objectsOf(application, isService).flatMap(([, { virtualAddresses }]) =>
    Array.isArray(virtualAddresses) ? virtualAddresses : [],
  );
  return [...new Set(all.flatMap((each) => (typeof each === 'string' ? each : [])))];
}

/** How settings of an address are told; no name of an object has a blank. */
export function addressField(address: string): string {
  return `address ${address}`;
}

export function isService(className: string): boolean {
  return className.startsWith('Service_');
}

function expectVirtual(flat: FlatSettings, name: string, virtual: JsonObject): void {
  flat[`${name}.ipProtocol`] = protocolOf(virtual);
  flat[`${name}.pool`] = textOf(virtual.pool, '');
  flat[`${name}.state`] = 'enabled';
  flat[`${name}.connectionLimit`] = String(numberOf(virtual.maxConnections));
  flat[`${name}.snat`] = snatOf(virtual.snat);
  flat[`${name}.vlans`] = namesIn(virtual.allowVlans).sort().join(', ');
  flat[`${name}.rules`] = namesIn(virtual.iRules).join(', ');
  flat[`${name}.persist`] = namesIn(virtual.persistenceMethods).join(', ');
  const [address] = Array.isArray(virtual.virtualAddresses) ? virtual.virtualAddresses : [];
  // With lists, all of these stand in traffic matching criteria, another object.
  if (isJsonObject(virtual.sourceAddress)) {
    const { sourceAddress, virtualPort } = virtual;
    flat[`${name}.destination`] = textOf(address, '');
    flat[`${name}.port`] = isJsonObject(virtualPort) ? textOf(virtualPort.use, '') : String(virtualPort);
    flat[`${name}.source`] = textOf(sourceAddress.use, '');
    flat[`${name}.matchedProtocol`] = protocolOf(virtual);
    return;
  }
  flat[`${name}.destination`] = memberName(textOf(address, ''), numberOf(virtual.virtualPort));
  flat[`${name}.source`] = textOf(virtual.sourceAddress, 'any');
}

function protocolOf(virtual: JsonObject): string {
  if (virtual.class === 'Service_L4') return textOf(virtual.layer4, 'tcp');
  return textOf(virtual.class, '').replace('Service_', '').toLowerCase();
}

function snatOf(snat: Json | undefined): string {
  if (isJsonObject(snat)) return textOf(snat.bigip, '');
  return snat === 'none' ? 'none' : 'automap';
}

/** `[{use: name}]` or `[{bigip: path}]`. */
function namesIn(list: Json | undefined): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each) => {
    if (!isJsonObject(each)) return typeof each === 'string' ? [each] : [];
    return textOf(each.use, '') || textOf(each.bigip, '') || [];
  });
}
