import type { Configuration } from '../configuration.ts';
import { isObject, membersOfClass, object, type PlainObject, text } from '../plain.ts';
import { findDeclared, type Place, resolvePointer } from './pointers.ts';

/** What `{bigip}` names, by the property that it stands in; a name that ends with `/` is any kind below. */
const KINDS: Readonly<Record<string, string>> = {
  profileTCP: 'ltm/profile/tcp',
  profileUDP: 'ltm/profile/udp',
  profileL4: 'ltm/profile/fastl4',
  profileSCTP: 'ltm/profile/sctp',
  profileHTTP: 'ltm/profile/http',
  profileMultiplex: 'ltm/profile/one-connect',
  serverTLS: 'ltm/profile/client-ssl',
  clientTLS: 'ltm/profile/server-ssl',
  monitors: 'ltm/monitor/',
  persistenceMethods: 'ltm/persistence/',
  fallbackPersistenceMethod: 'ltm/persistence/',
  iRules: 'ltm/rule',
  allowVlans: 'net/vlan',
  rejectVlans: 'net/vlan',
  pool: 'ltm/pool',
  snat: 'ltm/snatpool',
  members: 'ltm/node',
  virtualAddresses: 'ltm/virtual-address',
  sourceAddress: 'net/address-list',
};
/** Here a plain text is the name of something declared. */
const POINTERS = new Set(['pool', 'iRules', 'serverTLS', 'clientTLS']);

export interface ReferenceFaults {
  /** AS3's `errors`: what was declared names something that wasn't. */
  undeclared: string[];
  /** AS3's `message`: `bigip` names what the device hasn't got. Only the first is told. */
  missing: string | undefined;
}

/** Of some applications of a tenant. `declaration`: all that they may refer to, tenants by name. */
export function checkReferences(
  configuration: Configuration,
  declaration: PlainObject,
  tenant: string,
  applications: ReadonlySet<string> | undefined,
): ReferenceFaults {
  const faults: ReferenceFaults = { undeclared: [], missing: undefined };
  for (const [application, declared] of membersOfClass(object(declaration[tenant]), 'Application')) {
    if (applications?.has(application) === false) continue;
    const place = { tenant, application };
    for (const [name, item] of Object.entries(declared)) {
      if (isObject(item))
        visit(configuration, declaration, place, `/${tenant}/${application}/${name}`, '', item, faults);
    }
  }
  return faults;
}

function visit(
  configuration: Configuration,
  declaration: PlainObject,
  place: Place,
  path: string,
  property: string,
  value: unknown,
  faults: ReferenceFaults,
): void {
  if (typeof value === 'string' && POINTERS.has(property) && value !== '') {
    if (!isDeclared(declaration, place, value)) faults.undeclared.push(nonExistent(path, value));
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const { bigip, use } = object(value);
  if (typeof bigip === 'string' && !isOnDevice(configuration, KINDS[property], bigip.replaceAll('"', ''))) {
    faults.missing ??= `Unable to find ${bigip} for ${path}`;
  }
  if (typeof use === 'string' && !isDeclared(declaration, place, use)) {
    faults.undeclared.push(nonExistent(`${path}/use`, use));
  }
  for (const [name, member] of Object.entries(value)) {
    // Positions in lists, and both sides of a profile, are still the same property.
    const inner = /^\d+$|^(ingress|egress)$/.test(name) && property !== '' ? property : name;
    visit(configuration, declaration, place, `${path}/${name}`, inner, member, faults);
  }
}

function isDeclared(declaration: PlainObject, place: Place, pointer: string): boolean {
  return findDeclared(declaration, resolvePointer(place, pointer)) !== undefined;
}

function isOnDevice(configuration: Configuration, kind: string | undefined, path: string): boolean {
  if (kind === undefined) return configuration.kinds().some((any) => configuration.has(any, path));
  return kind.endsWith('/')
    ? configuration.hasBelow(text(kind).slice(0, -1), path)
    : configuration.has(kind, path);
}

function nonExistent(path: string, pointer: string): string {
  return `${path}: contains path to non-existent object ${pointer}`;
}
