import { type ConfigObject, type Configuration, partitionOf } from '../configuration.ts';
import { joinAddressPort } from '../members.ts';
import { isObject, list, number, object, type PlainObject, text } from '../plain.ts';
import { anySource, readAddress, withLength } from './addresses.ts';
import { buildMetadata } from './build-pool.ts';
import type { InCommon } from './in-common.ts';
import { findDeclared, type Place, readReference } from './pointers.ts';
import { readProfiles } from './read-profiles.ts';

const PROTOCOLS: Readonly<Record<string, string>> = {
  Service_UDP: 'udp',
  Service_SCTP: 'sctp',
  Service_Generic: 'any',
  Service_Forwarding: 'any',
};
const PORTS: Readonly<Record<string, number>> = { Service_HTTP: 80, Service_HTTPS: 443 };
/** AS3's defaults of `persistenceMethods`. */
const PERSISTENCE: Readonly<Record<string, readonly string[]>> = {
  Service_HTTP: ['cookie'],
  Service_HTTPS: ['cookie'],
  Service_TCP: ['source-address'],
  Service_UDP: ['source-address'],
  Service_L4: ['source-address'],
};
const METHOD_NAMES: Readonly<Record<string, string>> = {
  cookie: 'cookie',
  'destination-address': 'dest_addr',
  msrdp: 'msrdp',
  'source-address': 'source_addr',
  'tls-session-id': 'ssl',
};

export interface BuiltVirtuals {
  objects: ConfigObject[];
  /** In /Common, for all tenants. */
  shared: ConfigObject[];
}

export function isService({ class: name }: PlainObject): boolean {
  return /^Service_(HTTPS?|TCP|UDP|SCTP|L4|Generic|Forwarding)$/.test(text(name));
}

/** A Service of a declaration as virtual servers, one an address, with the addresses that it brings along. */
export function buildVirtuals(
  configuration: Configuration,
  inCommon: InCommon,
  declaration: PlainObject,
  place: Place,
  name: string,
  service: PlainObject,
): BuiltVirtuals {
  const built: BuiltVirtuals = { objects: [], shared: [] };
  if (service.enable === false) return built;
  const common = buildCommon(place, service);
  const port = number(service.virtualPort, PORTS[text(service.class)] ?? 0);
  list(service.virtualAddresses).forEach((entry, index) => {
    const [given, from] = Array.isArray(entry) ? entry : [entry, service.sourceAddress];
    const { address, mask, path } = placeAddress(
      configuration,
      inCommon,
      declaration,
      place,
      service,
      given,
      built,
    );
    const virtual = `/${place.tenant}/${place.application}/${name}${index === 0 ? '' : `-${index}-`}`;
    const destination = `${path}${joinAddressPort(address, port).slice(address.length)}`;
    const source = typeof from === 'string' ? withLength(from) : anySource(address);
    const properties: PlainObject = {
      ...common,
      destination,
      mask,
      source,
      trafficMatchingCriteria: '',
      // For this device's own use: the destination may name a Service_Address, or stand in criteria.
      '#listens': [address, port, source, common.ipProtocol].join(' '),
      '#virtualAddress': path,
    };
    if (isObject(from) || isObject(service.virtualPort)) {
      // A list of sources or ports is matched by an object of its own.
      const criteria = `${virtual}_VS_TMC_OBJ`;
      Object.assign(properties, { trafficMatchingCriteria: criteria, destination: '', mask: '', source: '' });
      properties['#listens'] = [address, port, criteria].join(' ');
      built.objects.push({
        kind: 'ltm/traffic-matching-criteria',
        path: criteria,
        properties: {
          protocol: common.ipProtocol,
          destinationAddressInline: `${address}/${mask}`,
          // A port beside a list of sources is lost: f5-appsvcs-extension issue 915, of AS3 3.53 on TMOS 17.1.
          destinationPortInline: '0',
          destinationPortList: isObject(service.virtualPort) ? readReference(place, service.virtualPort) : '',
          sourceAddressInline: source,
          sourceAddressList: isObject(from) ? readReference(place, from) : '',
        },
      });
    }
    if (service.snat === 'self') {
      const pool = `${virtual}-self`;
      built.objects.push({
        kind: 'ltm/snatpool',
        path: pool,
        properties: { members: [`/${place.tenant}/${address}`] },
      });
      properties.sourceAddressTranslation = { type: 'snat', pool };
    }
    built.objects.push({ kind: 'ltm/virtual', path: virtual, properties });
  });
  return built;
}

/** What is the same for all addresses of a service. */
function buildCommon(place: Place, service: PlainObject): PlainObject {
  const kind = text(service.class);
  const enabled = service.adminState !== 'disable';
  const allowed = list(service.allowVlans);
  const rejected = list(service.rejectVlans);
  return {
    description: text(service.remark) === '' ? place.application : service.remark,
    connectionLimit: number(service.maxConnections, 0),
    enabled,
    disabled: !enabled,
    ipProtocol: text(service.layer4) === '' ? (PROTOCOLS[kind] ?? 'tcp') : service.layer4,
    pool: readReference(place, service.pool),
    profiles: readProfiles(place, service),
    rules: list(service.iRules).map((rule) => readReference(place, rule)),
    persist: readPersistence(place, service),
    fallbackPersistence: methodPath(place, service.fallbackPersistenceMethod),
    sourceAddressTranslation: readSnat(place, service.snat),
    translateAddress: service.translateServerAddress === false ? 'disabled' : 'enabled',
    translatePort: service.translateServerPort === false ? 'disabled' : 'enabled',
    sourcePort: service.translateClientPort === false ? 'preserve-strict' : 'preserve',
    vlans: (allowed.length > 0 ? allowed : rejected).map((vlan) => readReference(place, vlan)),
    vlansEnabled: allowed.length > 0,
    vlansDisabled: allowed.length === 0,
    mirror: service.mirroring === 'L4' ? 'enabled' : 'disabled',
    rateLimit: number(service.rateLimit, 0) > 0 ? String(service.rateLimit) : 'disabled',
    serviceDownImmediateAction:
      text(service.serviceDownImmediateAction) === '' ? 'none' : service.serviceDownImmediateAction,
    metadata: buildMetadata(service.metadata),
    // What this device has no property for still is a change when it changes.
    '#label': text(service.label),
  };
}

function placeAddress(
  configuration: Configuration,
  common: InCommon,
  declaration: PlainObject,
  place: Place,
  service: PlainObject,
  given: unknown,
  built: BuiltVirtuals,
): { address: string; mask: string; path: string } {
  const { bigip, use } = object(given);
  if (typeof bigip === 'string') {
    const there = object(configuration.get('ltm/virtual-address', bigip));
    const address = text(there.address);
    return { address, mask: readAddress(address).mask, path: `/${partitionOf(bigip)}/${address}` };
  }
  if (typeof use === 'string') {
    const path = readReference(place, given);
    const { address, mask } = readAddress(text(object(findDeclared(declaration, path)).virtualAddress));
    return { address, mask, path: `/${partitionOf(path)}/${path.split('/').at(-1) ?? ''}` };
  }
  const { address, mask } = readAddress(text(given));
  // An address that stands in /Common already is used from there.
  const inCommon = common.addresses.get(address);
  const shares = service.shareAddresses === true;
  const isOurs = inCommon !== undefined && configuration.isShared('ltm/virtual-address', inCommon.path);
  if (inCommon !== undefined && !(isOurs && !shares)) {
    if (isOurs) built.shared.push(inCommon);
    return { address, mask, path: `/Common/${address}` };
  }
  const path = `/${shares ? 'Common' : place.tenant}/${address}`;
  const properties = virtualAddress(address, mask, service.class === 'Service_Forwarding');
  (shares ? built.shared : built.objects).push({ kind: 'ltm/virtual-address', path, properties });
  return { address, mask, path };
}

/** With AS3's defaults. */
export function virtualAddress(address: string, mask: string, silent = false): PlainObject {
  return {
    address,
    mask,
    arp: silent ? 'disabled' : 'enabled',
    icmpEcho: silent ? 'disabled' : 'enabled',
    autoDelete: 'true',
    enabled: 'yes',
    routeAdvertisement: 'disabled',
    serverScope: 'any',
    spanning: 'disabled',
    trafficGroup: '/Common/traffic-group-1',
  };
}

function readSnat(place: Place, snat: unknown): PlainObject {
  if (snat === undefined || snat === 'auto') return { type: 'automap' };
  return typeof snat === 'string' ? { type: snat } : { type: 'snat', pool: readReference(place, snat) };
}

function readPersistence(place: Place, service: PlainObject): PlainObject[] {
  const methods = Array.isArray(service.persistenceMethods)
    ? service.persistenceMethods
    : (PERSISTENCE[text(service.class)] ?? []);
  return methods.map((method, index) => {
    const [, partition = '', ...rest] = methodPath(place, method).split('/');
    const name = rest.pop() ?? '';
    const subPath = rest.join('/');
    return { name, partition, ...(subPath !== '' && { subPath }), tmDefault: index === 0 ? 'yes' : 'no' };
  });
}

function methodPath(place: Place, method: unknown): string {
  const builtIn = typeof method === 'string' ? METHOD_NAMES[method] : undefined;
  return builtIn === undefined ? readReference(place, method) : `/Common/${builtIn}`;
}
