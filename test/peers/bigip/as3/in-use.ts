import { type ConfigObject, type Configuration, partitionOf } from '../configuration.ts';
import { membersOfClass, object, objects, type PlainObject, text } from '../plain.ts';
import type { Scope } from './build-tenant.ts';

/** `kind path` of the nodes of these pools, and of the addresses of these virtual servers. */
export function neededBy(pools: readonly ConfigObject[], virtuals: readonly ConfigObject[]): Set<string> {
  const needed = new Set<string>();
  for (const { properties } of pools) {
    for (const member of objects(properties.members)) {
      needed.add(`ltm/node ${text(member.path).replace(/[.:]\d+$/, '')}`);
    }
  }
  for (const { properties } of virtuals) {
    const { destination, '#virtualAddress': known } = properties;
    needed.add(
      `ltm/virtual-address ${typeof known === 'string' ? known : text(destination).replace(/[.:]\d+$/, '')}`,
    );
  }
  return needed;
}

/** What the other applications of a tenant need of what belongs to none of them. `declared`: the tenant. */
export function neededByOthers(
  configuration: Configuration,
  { tenant, applications }: Scope,
  declared: PlainObject,
): Set<string> {
  if (applications === undefined) return new Set();
  const isOthers = ({ path }: ConfigObject) =>
    partitionOf(path) === tenant && !applications.has(path.split('/')[2] ?? '');
  const needed = neededBy(
    configuration.list('ltm/pool').filter(isOthers),
    configuration.list('ltm/virtual').filter(isOthers),
  );
  for (const [application, items] of membersOfClass(declared, 'Application')) {
    if (applications.has(application)) continue;
    for (const [name] of membersOfClass(object(items), 'Service_Address')) {
      needed.add(`ltm/virtual-address /${tenant}/${name}`);
    }
  }
  return needed;
}

/** Nodes and addresses in /Common go with the last one that uses them, when AS3 made them. Answers how many went. */
export function dropUnused(configuration: Configuration): number {
  const needed = neededBy(configuration.list('ltm/pool'), configuration.list('ltm/virtual'));
  let dropped = 0;
  for (const kind of ['ltm/node', 'ltm/virtual-address']) {
    for (const { path } of configuration.list(kind)) {
      if (!configuration.isShared(kind, path) || needed.has(`${kind} ${path}`)) continue;
      configuration.delete(kind, path);
      dropped++;
    }
  }
  return dropped;
}
