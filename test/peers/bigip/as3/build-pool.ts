import { isIP } from 'node:net';
import { type ConfigObject, type Configuration, partitionOf, splitPath } from '../configuration.ts';
import { joinAddressPort, type Member } from '../members.ts';
import { list, number, objects, type PlainObject, text } from '../plain.ts';
import type { InCommon } from './in-common.ts';
import { type Place, readReference } from './pointers.ts';

/** Of what stands in /Common under another name than in declarations. */
const MONITOR_NAMES: Readonly<Record<string, string>> = {
  'tcp-half-open': 'tcp_half_open',
  icmp: 'gateway_icmp',
};

export interface BuiltPool {
  pool: ConfigObject;
  /** Of the tenant, or in /Common when members share them. */
  nodes: ConfigObject[];
}

/** A Pool of a declaration as the device's pool, its members and their nodes. */
export function buildPool(
  configuration: Configuration,
  common: InCommon,
  place: Place,
  name: string,
  declared: PlainObject,
): BuiltPool {
  const path = `/${place.tenant}/${place.application}/${name}`;
  const members: Member[] = [];
  const nodes: ConfigObject[] = [];
  for (const group of objects(declared.members)) {
    for (const node of nodesOf(configuration, common, place.tenant, group)) {
      if (
        !configuration.has('ltm/node', node.path) ||
        partitionOf(node.path) === place.tenant ||
        configuration.isShared('ltm/node', node.path)
      ) {
        nodes.push(node);
      }
      members.push(buildMember(place, group, node));
    }
  }
  const properties = {
    description: text(declared.remark),
    loadBalancingMode: text(declared.loadBalancingMode) === '' ? 'round-robin' : declared.loadBalancingMode,
    minActiveMembers: number(declared.minimumMembersActive, 1),
    monitor: monitorRule(place, declared),
    reselectTries: number(declared.reselectTries, 0),
    serviceDownAction: text(declared.serviceDownAction) === '' ? 'none' : declared.serviceDownAction,
    slowRampTime: number(declared.slowRampTime, 10),
    allowNat: declared.allowNATEnabled === false ? 'no' : 'yes',
    allowSnat: declared.allowSNATEnabled === false ? 'no' : 'yes',
    metadata: buildMetadata(declared.metadata),
    members,
  };
  return { pool: { kind: 'ltm/pool', path, properties }, nodes };
}

/** `{mark: {value: 'x', persist: true}}` as the device's list. */
export function buildMetadata(declared: unknown): PlainObject[] {
  return Object.entries(typeof declared === 'object' && declared !== null ? declared : {}).map(
    ([name, entry]) => {
      const { value, persist } =
        typeof entry === 'object' && entry !== null
          ? { value: undefined, persist: true, ...entry }
          : { value: entry, persist: true };
      return { name, persist: persist === false ? 'false' : 'true', value: String(value) };
    },
  );
}

/** `min 1 of { /Common/http }`, `/Common/http and /T/A/own`, or '' without monitors. */
function monitorRule(place: Place, { monitors, minimumMonitors }: PlainObject): string {
  const paths = list(monitors).map((monitor) =>
    typeof monitor === 'string'
      ? `/Common/${MONITOR_NAMES[monitor] ?? monitor}`
      : readReference(place, monitor),
  );
  if (paths.length === 0) return '';
  return minimumMonitors === 'all'
    ? paths.join(' and ')
    : `min ${number(minimumMonitors, 1)} of { ${paths.join(' ')} }`;
}

function nodesOf(
  configuration: Configuration,
  common: InCommon,
  tenant: string,
  group: PlainObject,
): ConfigObject[] {
  const domain = typeof group.routeDomain === 'number' ? `%${group.routeDomain}` : '';
  const existing = text(group.bigip);
  if (existing !== '') {
    const address = text(configuration.get('ltm/node', existing)?.address);
    return [{ kind: 'ltm/node', path: existing, properties: { address } }];
  }
  const named = objects(group.servers).map(({ name, address }) => ({
    name: text(name),
    address: text(address),
  }));
  const plain = list(group.serverAddresses).map((address) => ({
    name: text(address),
    address: text(address),
  }));
  return [...plain, ...named].map(({ name, address }) => {
    const full = address.includes('%') ? address : `${address}${domain}`;
    const own = `/${group.shareNodes === true ? 'Common' : tenant}/${name === address ? full : name}`;
    // A node that somebody made in /Common by hand is used as it is.
    const inCommon = common.nodes.get(full);
    const path =
      inCommon !== undefined && !configuration.isShared('ltm/node', inCommon.path) ? inCommon.path : own;
    return { kind: 'ltm/node', path, properties: { address: full } };
  });
}

function buildMember(place: Place, group: PlainObject, node: ConfigObject): Member {
  const port = number(group.servicePort, 0);
  const { name } = splitPath(node.path);
  const joined = isIP(name.split('%')[0] ?? '') === 0 ? `${name}:${port}` : joinAddressPort(name, port);
  const rule = monitorRule(place, group);
  const rate = number(group.rateLimit, -1);
  return {
    path: `/${partitionOf(node.path)}/${joined}`,
    address: text(node.properties.address),
    port,
    description: text(group.remark),
    connectionLimit: number(group.connectionLimit, 0),
    dynamicRatio: number(group.dynamicRatio, 1),
    priorityGroup: number(group.priorityGroup, 0),
    rateLimit: rate < 0 ? 'disabled' : String(rate),
    ratio: number(group.ratio, 1),
    monitor: rule === '' ? 'default' : rule,
    metadata: buildMetadata(group.metadata),
    session:
      group.adminState === 'disable' || group.adminState === 'offline' ? 'user-disabled' : 'user-enabled',
    state: group.adminState === 'offline' ? 'user-down' : 'user-up',
  };
}
