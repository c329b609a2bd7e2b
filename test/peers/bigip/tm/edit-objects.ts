import { type Configuration, partitionOf, splitPath } from '../configuration.ts';
import { joinAddressPort, type Member, membersOf, splitAddressPort } from '../members.ts';
import { isObject, list, type PlainObject, text } from '../plain.ts';
import { configurationError, Refusal } from '../rest-answer.ts';
import { wordOf } from './kinds.ts';

/** Never part of an object's properties: they are its path, or made by the device. */
const NOT_PROPERTIES = ['name', 'partition', 'subPath', 'fullPath', 'kind', 'generation', 'selfLink'];

export function requireObject(configuration: Configuration, kind: string, path: string): PlainObject {
  const found = configuration.get(kind, path);
  if (found !== undefined) return found;
  throw new Refusal(
    configurationError(404, `01020036:3: The requested ${wordOf(kind)} (${path}) was not found.`),
  );
}

/** Of a request's body: `name` may be a full path. */
export function pathIn(kind: string, body: PlainObject): string {
  const name = text(body.name);
  if (name === '') throw new Refusal(configurationError(400, 'one or more properties must be specified'));
  if (name.startsWith('/')) return name;
  if (kind === 'auth/partition') return `/${name}`;
  const partition = text(body.partition) === '' ? 'Common' : text(body.partition);
  return ['', partition, ...(text(body.subPath) === '' ? [] : [text(body.subPath)]), name].join('/');
}

/** As POST does it. */
export function createObject(configuration: Configuration, kind: string, body: PlainObject): string {
  const path = pathIn(kind, body);
  const partition = partitionOf(path);
  if (kind !== 'auth/partition' && !configuration.has('auth/partition', `/${partition}`)) {
    throw new Refusal(
      configurationError(400, `01070734:3: Configuration error: folder (/${partition}) was not found.`),
    );
  }
  if (configuration.has(kind, path)) {
    const message = `01020066:3: The requested ${wordOf(kind)} (${path}) already exists in partition ${partition}.`;
    throw new Refusal(configurationError(409, message));
  }
  configuration.put(kind, path, readProperties(configuration, kind, path, {}, body));
  if (kind === 'auth/partition') configuration.put('sys/folder', path, {});
  return path;
}

/** As PATCH and PUT do it. */
export function changeObject(
  configuration: Configuration,
  kind: string,
  path: string,
  body: PlainObject,
): void {
  const before = requireObject(configuration, kind, path);
  configuration.put(
    kind,
    path,
    readProperties(configuration, kind, path, before, body),
    configuration.isShared(kind, path),
  );
}

/** As DELETE does it. */
export function deleteObject(configuration: Configuration, kind: string, path: string): void {
  requireObject(configuration, kind, path);
  if (kind === 'ltm/pool') {
    const user = configuration.list('ltm/virtual').find(({ properties }) => properties.pool === path);
    if (user !== undefined) {
      const message = `01070265:3: The Pool (${path}) cannot be deleted because it is in use by a Virtual Server (${user.path}).`;
      throw new Refusal(configurationError(400, message));
    }
  }
  if (kind === 'auth/partition') {
    const [inside] = configuration
      .all()
      .filter(
        (one) => one.kind !== kind && one.kind !== 'sys/folder' && partitionOf(one.path) === path.slice(1),
      );
    if (inside !== undefined) {
      const message = `0107082a:3: All objects must be removed from a partition (${path.slice(1)}) before the partition may be removed, type ID (973)`;
      throw new Refusal(configurationError(400, message));
    }
    for (const folder of configuration.list('sys/folder')) {
      if (partitionOf(folder.path) === path.slice(1)) configuration.delete('sys/folder', folder.path);
    }
  }
  configuration.delete(kind, path);
}

/** A member of a pool, by its own path below the pool. */
export function requireMember(configuration: Configuration, pool: string, path: string): Member {
  const found = membersOf(requireObject(configuration, 'ltm/pool', pool)).find(
    (member) => member.path === path,
  );
  if (found !== undefined) return found;
  const message = `01020036:3: The requested Pool Member (${pool} ${path}) was not found.`;
  throw new Refusal(configurationError(404, message));
}

export function changeMember(
  configuration: Configuration,
  pool: string,
  path: string,
  body: PlainObject,
): void {
  const changed = {
    ...requireMember(configuration, pool, path),
    ...stateIn(body),
    ...propertiesIn(body, ['session', 'state', 'address']),
  };
  const members = membersOf(requireObject(configuration, 'ltm/pool', pool));
  setMembers(
    configuration,
    pool,
    members.map((member) => (member.path === path ? changed : member)),
  );
}

export function addMember(configuration: Configuration, pool: string, body: PlainObject): Member {
  const members = membersOf(requireObject(configuration, 'ltm/pool', pool));
  const added = readMember(configuration, partitionOf(pool), body);
  if (members.some(({ path }) => path === added.path)) {
    const message = `01020066:3: The requested Pool Member (${pool} ${added.path}) already exists in partition ${partitionOf(pool)}.`;
    throw new Refusal(configurationError(409, message));
  }
  setMembers(configuration, pool, [...members, added]);
  return added;
}

export function removeMember(configuration: Configuration, pool: string, path: string): void {
  requireMember(configuration, pool, path);
  const members = membersOf(requireObject(configuration, 'ltm/pool', pool));
  setMembers(
    configuration,
    pool,
    members.filter((member) => member.path !== path),
  );
}

function setMembers(configuration: Configuration, pool: string, members: Member[]): void {
  const properties = requireObject(configuration, 'ltm/pool', pool);
  configuration.put('ltm/pool', pool, { ...properties, members });
}

function readProperties(
  configuration: Configuration,
  kind: string,
  path: string,
  before: PlainObject,
  body: PlainObject,
): PlainObject {
  const properties = { ...before, ...propertiesIn(body, []) };
  const partition = partitionOf(path);
  if (kind === 'ltm/pool' && body.members !== undefined) {
    properties.members = list(body.members).map((member) =>
      readMember(configuration, partition, isObject(member) ? member : { name: member }),
    );
  }
  if (kind === 'ltm/node' && properties.address === undefined) properties.address = splitPath(path).name;
  if (kind === 'ltm/virtual') {
    if (body.profiles !== undefined) properties.profiles = list(body.profiles).map(readProfile);
    if (body.destination !== undefined) readDestination(configuration, partition, properties);
  }
  if (kind === 'ltm/virtual' && body.disabled === true) delete properties.enabled;
  if (kind === 'ltm/virtual' && body.enabled === true) delete properties.disabled;
  return properties;
}

/** A virtual server brings its address along. */
function readDestination(configuration: Configuration, partition: string, properties: PlainObject): void {
  delete properties['#listens'];
  delete properties['#virtualAddress'];
  const given = text(properties.destination);
  if (given === '') return;
  properties.destination = given.startsWith('/') ? given : `/${partition}/${given}`;
  const { address } = splitAddressPort(splitPath(text(properties.destination)).name);
  const path = `/${partitionOf(text(properties.destination))}/${address}`;
  const isThere = configuration.list('ltm/virtual-address').some((one) => one.properties.address === address);
  if (!isThere)
    configuration.put('ltm/virtual-address', path, { address, arp: 'enabled', icmpEcho: 'enabled' });
}

function readProfile(profile: unknown): PlainObject {
  const { name, context } = isObject(profile) ? profile : { name: profile, context: 'all' };
  const path = text(name).startsWith('/') ? text(name) : `/Common/${text(name)}`;
  return { path, context: text(context) === '' ? 'all' : context };
}

function readMember(configuration: Configuration, partition: string, body: PlainObject): Member {
  const name = text(body.name);
  const path = name.startsWith('/')
    ? name
    : `/${text(body.partition) === '' ? partition : text(body.partition)}/${name}`;
  const parts = splitAddressPort(splitPath(path).name);
  const address = text(body.address) === '' ? parts.address : text(body.address);
  const node = `/${partitionOf(path)}/${parts.address}`;
  if (!configuration.has('ltm/node', node)) configuration.put('ltm/node', node, { address });
  return {
    ...propertiesIn(body, ['address', 'session', 'state']),
    path: `/${partitionOf(path)}/${joinAddressPort(parts.address, parts.port)}`,
    address,
    port: parts.port,
    session: 'user-enabled',
    state: 'user-up',
    ...stateIn(body),
  };
}

/** Only what users set: `monitor-enabled`, `up` and `down` are the monitors'. */
function stateIn(body: PlainObject): Partial<Pick<Member, 'session' | 'state'>> {
  const { session, state } = body;
  return {
    ...((session === 'user-enabled' || session === 'user-disabled') && { session }),
    ...((state === 'user-up' || state === 'user-down') && { state }),
  };
}

function propertiesIn(body: PlainObject, but: readonly string[]): PlainObject {
  const left = [...NOT_PROPERTIES, 'members', 'membersReference', 'profilesReference', ...but];
  return Object.fromEntries(Object.entries(body).filter(([name]) => !left.includes(name)));
}
