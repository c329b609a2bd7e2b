import type { ConfigObject, Configuration } from '../configuration.ts';
import { classOf, isObject, list, membersOfClass, number, object, type PlainObject, text } from '../plain.ts';
import { readAddress } from './addresses.ts';
import { buildPool } from './build-pool.ts';
import { buildVirtuals, isService, virtualAddress } from './build-virtuals.ts';
import { readCommon } from './in-common.ts';
import { type Place, readReference } from './pointers.ts';

/** Which part of a tenant a request is about. */
export interface Scope {
  tenant: string;
  /** Names; undefined: all of the tenant. */
  applications: ReadonlySet<string> | undefined;
}

/** Where iControl REST has another name for a type of monitor. */
const MONITOR_KINDS: Readonly<Record<string, string>> = { icmp: 'gateway-icmp' };
const PERSIST_KINDS: Readonly<Record<string, string>> = {
  'source-address': 'source-addr',
  'destination-address': 'dest-addr',
  'tls-session-id': 'ssl',
  universal: 'universal',
  'sip-info': 'sip',
};
/** Of classes that become one object each; all others are kept as `as3/<class>`, seen by nobody. */
const KINDS: Readonly<Record<string, string>> = {
  iRule: 'ltm/rule',
  SNAT_Pool: 'ltm/snatpool',
  L4_Profile: 'ltm/profile/fastl4',
  TCP_Profile: 'ltm/profile/tcp',
  UDP_Profile: 'ltm/profile/udp',
  HTTP_Profile: 'ltm/profile/http',
  HTTP2_Profile: 'ltm/profile/http2',
  Multiplex_Profile: 'ltm/profile/one-connect',
  TLS_Server: 'ltm/profile/client-ssl',
  TLS_Client: 'ltm/profile/server-ssl',
  Net_Address_List: 'net/address-list',
  Net_Port_List: 'net/port-list',
  Firewall_Address_List: 'security/firewall/address-list',
  Firewall_Port_List: 'security/firewall/port-list',
  Data_Group: 'ltm/data-group/internal',
};

export interface BuiltTenant {
  /** In the tenant's partition. */
  objects: ConfigObject[];
  /** In /Common, used by several tenants. */
  shared: ConfigObject[];
}

/**
 * A tenant of a declaration as the device's objects, or these applications of it. `declaration`: all that pointers may lead to,
 * tenants by name.
 */
export function buildTenant(
  configuration: Configuration,
  declaration: PlainObject,
  { tenant, applications: wanted }: Scope,
): BuiltTenant {
  const common = readCommon(configuration);
  const built = new Map<string, ConfigObject>();
  const shared = new Map<string, ConfigObject>();
  const add = (one: ConfigObject, to = built) => void to.set(`${one.kind} ${one.path}`, one);
  const applications = membersOfClass(object(declaration[tenant]), 'Application');
  if (applications.length === 0) return { objects: [], shared: [] };
  add({
    kind: 'auth/partition',
    path: `/${tenant}`,
    properties: { defaultRouteDomain: number(object(declaration[tenant]).defaultRouteDomain, 0) },
  });
  add({ kind: 'sys/folder', path: `/${tenant}`, properties: {} });
  for (const [application, declared] of applications) {
    if (wanted?.has(application) === false) continue;
    const place = { tenant, application };
    add({ kind: 'sys/folder', path: `/${tenant}/${application}`, properties: {} });
    for (const [name, item] of Object.entries(declared)) {
      // Constants are for whoever reads the declaration: the device has nothing of them.
      if (!isObject(item) || ['', 'Constants'].includes(classOf(item))) continue;
      if (item.class === 'Pool') {
        const { pool, nodes } = buildPool(configuration, common, place, name, item);
        add(pool);
        for (const node of nodes) add(node, node.path.startsWith('/Common/') ? shared : built);
      } else if (isService(item)) {
        const virtuals = buildVirtuals(configuration, common, declaration, place, name, item);
        for (const one of virtuals.objects) add(one);
        for (const one of virtuals.shared) add(one, shared);
      } else {
        add(buildOther(place, name, item));
      }
    }
  }
  return { objects: [...built.values()], shared: [...shared.values()] };
}

function buildOther(place: Place, name: string, item: PlainObject): ConfigObject {
  const { class: kind, remark, label, ...rest } = item;
  const path = `/${place.tenant}/${place.application}/${name}`;
  const description = text(remark);
  switch (kind) {
    case 'Service_Address': {
      const { address, mask } = readAddress(text(rest.virtualAddress));
      const properties = {
        ...virtualAddress(address, mask),
        ...(rest.arpEnabled === false && { arp: 'disabled' }),
        ...(text(rest.icmpEcho) !== '' && { icmpEcho: text(rest.icmpEcho).replace(/able$/, 'abled') }),
        ...(text(rest.routeAdvertisement) !== '' && {
          routeAdvertisement: text(rest.routeAdvertisement).replace(/able$/, 'abled'),
        }),
        ...(text(rest.trafficGroup).startsWith('/') && { trafficGroup: rest.trafficGroup }),
      };
      return { kind: 'ltm/virtual-address', path: `/${place.tenant}/${name}`, properties };
    }
    case 'Monitor':
      return {
        kind: `ltm/monitor/${MONITOR_KINDS[text(rest.monitorType)] ?? text(rest.monitorType)}`,
        path,
        properties: { description, ...buildMonitor(rest) },
      };
    case 'Persist': {
      const method = text(rest.persistenceMethod);
      const { persistenceMethod: _method, duration, addressMask, ...others } = rest;
      const properties = { ...others, timeout: String(number(duration, 180)), mask: text(addressMask) };
      return {
        kind: `ltm/persistence/${PERSIST_KINDS[method] ?? method}`,
        path,
        properties: { description, ...properties },
      };
    }
    case 'iRule':
      return { kind: 'ltm/rule', path, properties: { apiAnonymous: readScript(rest.iRule) } };
    case 'Net_Address_List':
    case 'Firewall_Address_List': {
      const addresses = list(rest.addresses).map((address) => ({ name: address }));
      const lists = list(rest.addressLists).map((one) => readReference(place, one));
      return { kind: KINDS[kind] ?? '', path, properties: { description, addresses, addressLists: lists } };
    }
    case 'Net_Port_List':
    case 'Firewall_Port_List': {
      const ports = list(rest.ports).map((port) => ({ name: String(port) }));
      const lists = list(rest.portLists).map((one) => readReference(place, one));
      return { kind: KINDS[kind] ?? '', path, properties: { description, ports, portLists: lists } };
    }
    case 'SNAT_Pool': {
      const members = list(rest.snatAddresses).map((address) => `/${place.tenant}/${text(address)}`);
      return { kind: 'ltm/snatpool', path, properties: { description, members } };
    }
    default:
      return {
        kind: KINDS[text(kind)] ?? `as3/${text(kind)}`,
        path,
        properties: { description, ...rest, '#label': text(label) },
      };
  }
}

/** Names as iControl REST has them. */
function buildMonitor(declared: PlainObject): PlainObject {
  const { monitorType, receive, receiveDown, targetAddress, targetPort, ...rest } = declared;
  const port = number(targetPort, 0);
  return {
    interval: 5,
    timeout: 16,
    defaultsFrom: `/Common/${text(monitorType).replaceAll('-', '_')}`,
    ...rest,
    recv: text(receive),
    recvDisable: text(receiveDown),
    destination: `${text(targetAddress) === '' ? '*' : text(targetAddress)}:${port === 0 ? '*' : port}`,
  };
}

function readScript(declared: unknown): string {
  const { base64 } = object(declared);
  return typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString() : text(declared);
}
