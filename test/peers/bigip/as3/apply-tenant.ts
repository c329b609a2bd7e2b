import { type ConfigObject, type Configuration, partitionOf } from '../configuration.ts';
import { objects, type PlainObject, same } from '../plain.ts';
import type { BuiltTenant, Scope } from './build-tenant.ts';
import { findConflict } from './find-conflict.ts';
import { dropUnused, neededByOthers } from './in-use.ts';

/** Of no application, so that a request for one application sees to them all. */
const OF_THE_TENANT = new Set(['ltm/node', 'ltm/virtual-address', 'ltm/snat-translation', 'auth/partition']);

/** AS3 has no word for them and leaves them, so that the partition can't go. */
const UNMANAGED = new Set(['net/vlan']);

/** How many objects changed, or why the device refuses. */
export type Applied = { changes: number } | { refusal: string };

/**
 * Makes the scope what was built: all of it, or nothing when anything is refused. What isn't in the scope is never touched.
 * `declared`: the whole tenant.
 */
export function applyTenant(
  configuration: Configuration,
  built: BuiltTenant,
  scope: Scope,
  declared: PlainObject,
  dryRun: boolean,
): Applied {
  const desired = built.objects.filter((one) => isIn(scope, one));
  const wanted = new Set(desired.map(keyOf));
  const kept = neededByOthers(configuration, scope, declared);
  const gone = configuration
    .all()
    .filter((one) => isIn(scope, one) && !wanted.has(keyOf(one)) && !kept.has(keyOf(one)));
  const changed = desired.filter(
    ({ kind, path, properties }) => !isAlready(configuration.get(kind, path), properties),
  );
  const added = built.shared.filter(({ kind, path }) => !configuration.has(kind, path));
  const leaving = new Set(gone.map(keyOf));
  const refusal =
    findConflict(configuration, [...changed, ...added], leaving) ??
    findLeftover(configuration, scope, leaving);
  if (refusal !== undefined) return { refusal };
  const changes = gone.length + changed.length + added.length;
  if (dryRun) return { changes };
  for (const { kind, path } of gone) configuration.delete(kind, path);
  for (const { kind, path, properties } of changed) {
    configuration.put(kind, path, { ...configuration.get(kind, path), ...properties });
  }
  for (const { kind, path, properties } of added) configuration.put(kind, path, properties, true);
  return { changes: changes + dropUnused(configuration) };
}

/** A partition goes when nothing is left in it; what was made in it by hand is in the way of one application's removal. */
function findLeftover(
  configuration: Configuration,
  { tenant }: Scope,
  leaving: ReadonlySet<string>,
): string | undefined {
  if (!leaving.has(`auth/partition /${tenant}`)) return undefined;
  const left = configuration
    .all()
    .find((one) => partitionOf(one.path) === tenant && one.kind !== 'sys/folder' && !leaving.has(keyOf(one)));
  if (left === undefined) return undefined;
  return `0107082a:3: All objects must be removed from a partition (${tenant}) before the partition may be removed, type ID (973)`;
}

function keyOf({ kind, path }: ConfigObject): string {
  return `${kind} ${path}`;
}

function isIn({ tenant, applications }: Scope, { kind, path }: ConfigObject): boolean {
  if (partitionOf(path) !== tenant || UNMANAGED.has(kind)) return false;
  if (applications === undefined || OF_THE_TENANT.has(kind)) return true;
  if (kind === 'sys/folder' && path === `/${tenant}`) return true;
  return applications.has(path.split('/')[2] ?? '') && (kind === 'sys/folder' || path.split('/').length > 3);
}

/** Only what AS3 declares is compared: what it has no word for may be edited by hand. */
function isAlready(
  current: ConfigObject['properties'] | undefined,
  wanted: ConfigObject['properties'],
): boolean {
  if (current === undefined) return false;
  return Object.entries(wanted).every(([name, value]) => {
    if (name === 'members' && objects(value).length > 0)
      return hasMembers(objects(current[name]), objects(value));
    return same(current[name], value) || (isNothing(current[name]) && isNothing(value));
  });
}

/** In any order. */
function hasMembers(current: readonly PlainObject[], wanted: readonly PlainObject[]): boolean {
  if (current.length !== wanted.length) return false;
  const byPath = new Map(current.map((member) => [member.path, member]));
  return wanted.every((member) => isAlready(byPath.get(member.path), member));
}

/** Unset and empty are the same on the device. */
function isNothing(value: unknown): boolean {
  return (
    value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0)
  );
}
