import { type Configuration, splitPath, tilded } from '../configuration.ts';
import { joinAddressPort, type Member, type MemberHealth, membersOf } from '../members.ts';
import { objects, type PlainObject, text } from '../plain.ts';

/** The TMOS version of links. */
export const TMOS = '17.1.1';
const LOCALHOST = 'https://localhost/mgmt/tm';

export type HealthOf = (member: Member) => MemberHealth;

export interface Rendering {
  configuration: Configuration;
  healthOf: HealthOf;
  /** `expandSubcollections=true`: members and profiles inside of their owners. */
  expand: boolean;
}

export function linkTo(kind: string, path?: string, below = ''): string {
  const name = kind === 'auth/partition' ? path?.slice(1) : path === undefined ? undefined : tilded(path);
  return `${LOCALHOST}/${kind}${name === undefined ? '' : `/${name}`}${below}?ver=${TMOS}`;
}

/** `tm:ltm:pool:poolstate` */
export function kindName(kind: string, suffix: 'state' | 'collectionstate' | 'stats'): string {
  const parts = kind.split('/');
  return `tm:${parts.join(':')}:${parts.at(-1) ?? ''}${suffix}`;
}

/** As GET answers it. */
export function renderObject(
  { configuration, healthOf, expand }: Rendering,
  kind: string,
  path: string,
  properties: PlainObject,
): PlainObject {
  const { name, partition, subPath } = splitPath(path);
  const isTop = kind === 'auth/partition' || name === '';
  const shown: PlainObject = {
    kind: kindName(kind, 'state'),
    name: isTop ? partition : name,
    ...(!isTop && { partition }),
    ...(subPath !== undefined && { subPath }),
    fullPath: kind === 'auth/partition' ? partition : path,
    generation: configuration.generation,
    selfLink: linkTo(kind, path),
  };
  const { members: _members, profiles, ...rest } = properties;
  Object.assign(shown, withoutEmpty(rest));
  if (kind === 'ltm/pool') {
    const items = membersOf(properties).map((member) => renderMember(path, properties, member, healthOf));
    shown.membersReference = subcollection(kind, path, 'members', items, expand);
  }
  if (kind === 'ltm/virtual') {
    const items = objects(profiles).map((profile) => renderProfile(path, profile));
    shown.profilesReference = subcollection(kind, path, 'profiles', items, expand);
  }
  return shown;
}

/** A device leaves out lists without items. */
export function renderCollection(kind: string, link: string, items: readonly PlainObject[]): PlainObject {
  return { kind, selfLink: link, ...(items.length > 0 && { items }) };
}

export function renderMember(
  pool: string,
  poolProperties: PlainObject,
  member: Member,
  healthOf: HealthOf,
): PlainObject {
  const { path, port, session, state, ...rest } = member;
  const { partition, subPath } = splitPath(path);
  const name = joinAddressPort(member.address, port);
  const rule = text(rest.monitor);
  const isMonitored = text(poolProperties.monitor) !== '' || (rule !== '' && rule !== 'default');
  const shownState = { session, state: 'unchecked' };
  if (isMonitored) {
    if (session === 'user-enabled') Object.assign(shownState, { session: 'monitor-enabled' });
    shownState.state = healthOf(member).up === false ? 'down' : 'up';
  }
  if (state === 'user-down') shownState.state = 'user-down';
  return {
    kind: 'tm:ltm:pool:members:membersstate',
    name,
    partition,
    ...(subPath !== undefined && { subPath }),
    fullPath: path,
    generation: 1,
    selfLink: linkTo('ltm/pool', pool, `/members/${tilded(path)}`),
    ...withoutEmpty(rest),
    ephemeral: 'false',
    fqdn: { autopopulate: 'disabled' },
    inheritProfile: 'enabled',
    logging: 'disabled',
    ...shownState,
  };
}

export function renderProfile(virtual: string, profile: PlainObject): PlainObject {
  const path = text(profile.path);
  const { name, partition, subPath } = splitPath(path);
  return {
    kind: 'tm:ltm:virtual:profiles:profilesstate',
    name,
    partition,
    ...(subPath !== undefined && { subPath }),
    fullPath: path,
    generation: 1,
    selfLink: linkTo('ltm/virtual', virtual, `/profiles/${tilded(path)}`),
    context: text(profile.context) === '' ? 'all' : profile.context,
  };
}

function subcollection(kind: string, path: string, name: string, items: PlainObject[], expand: boolean) {
  return {
    link: linkTo(kind, path, `/${name}`),
    isSubcollection: true,
    ...(expand && items.length > 0 && { items }),
  };
}

/** What is unset isn't shown, nor what this device keeps for itself (`#...`). */
function withoutEmpty(properties: PlainObject): PlainObject {
  return Object.fromEntries(
    Object.entries(properties).filter(([name, value]) => !name.startsWith('#') && !isUnset(value)),
  );
}

function isUnset(value: unknown): boolean {
  return (
    value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0)
  );
}
