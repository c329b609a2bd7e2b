import { isObject, object, type PlainObject, text } from '../plain.ts';
import { type Place, readReference } from './pointers.ts';

/** AS3's words for profiles of /Common. */
const TCP: Readonly<Record<string, string>> = {
  normal: 'f5-tcp-progressive',
  lan: 'f5-tcp-lan',
  wan: 'f5-tcp-wan',
  mobile: 'f5-tcp-mobile',
};
const BASIC: Readonly<Record<string, string>> = {
  profileUDP: 'udp',
  profileL4: 'fastL4',
  profileSCTP: 'sctp',
  profileHTTP: 'http',
  profileHTTP2: 'http2',
  profileMultiplex: 'oneconnect',
};
/** Profiles that a class has without saying so. */
const OF_CLASS: Readonly<Record<string, readonly string[]>> = {
  Service_TCP: ['profileTCP'],
  Service_HTTP: ['profileTCP', 'profileHTTP'],
  Service_HTTPS: ['profileTCP', 'profileHTTP'],
  Service_UDP: ['profileUDP'],
  Service_SCTP: ['profileSCTP'],
  Service_L4: ['profileL4'],
};

/** Of a service: `{path, context}` each. */
export function readProfiles(place: Place, service: PlainObject): PlainObject[] {
  const implied = OF_CLASS[text(service.class)] ?? [];
  const declared = Object.keys(service).filter(
    (name) => name.startsWith('profile') && !implied.includes(name),
  );
  const profiles = [...implied, ...declared].flatMap((name) =>
    name === 'profileTCP'
      ? readTcp(place, service.profileTCP)
      : [{ path: readOne(place, name, service[name]), context: 'all' }],
  );
  if (service.serverTLS !== undefined)
    profiles.push({ path: readReference(place, service.serverTLS), context: 'clientside' });
  if (service.clientTLS !== undefined)
    profiles.push({ path: readReference(place, service.clientTLS), context: 'serverside' });
  return profiles.sort((one, other) => one.path.localeCompare(other.path));
}

function readTcp(place: Place, declared: unknown): { path: string; context: string }[] {
  const { ingress, egress } = object(declared);
  if (ingress === undefined && egress === undefined)
    return [{ path: tcpPath(place, declared), context: 'all' }];
  return [
    { path: tcpPath(place, ingress), context: 'clientside' },
    { path: tcpPath(place, egress), context: 'serverside' },
  ];
}

function tcpPath(place: Place, declared: unknown): string {
  const word = declared === undefined ? 'normal' : declared;
  const builtIn = typeof word === 'string' ? TCP[word] : undefined;
  return builtIn === undefined ? readReference(place, word) : `/Common/${builtIn}`;
}

function readOne(place: Place, name: string, declared: unknown): string {
  const builtIn = BASIC[name];
  return builtIn === undefined || isObject(declared) ? readReference(place, declared) : `/Common/${builtIn}`;
}
