import { membersOfClass, object, type PlainObject } from '../plain.ts';
import { ok, type RestAnswer } from '../rest-answer.ts';
import { type DeclareCall, plainError, readPerAppPath } from './read-request.ts';

/** GET of what was declared. `declarations`: the newest first. */
export function readDeclaration(
  declarations: readonly PlainObject[],
  { segments, query }: DeclareCall,
): RestAnswer {
  if (query.get('age') === 'list') return ok(declarations.map(describe));
  const stored = declarations[Number(query.get('age') ?? 0)];
  if (stored === undefined) {
    return segments.length === 0
      ? { status: 204, body: undefined }
      : plainError(404, 'declaration in specified path not found');
  }
  const tenants = membersOfClass(stored, 'Tenant').map(([name]) => name);
  if (tenants.length === 0) return { status: 204, body: undefined };
  const perApp = readPerAppPath(segments);
  if (perApp !== undefined) return readApplications(stored, perApp.tenant, perApp.application);
  const wanted = (segments[0] ?? '').split(',').filter((name) => name !== '');
  const missing = wanted.filter((name) => !tenants.includes(name));
  if (missing.length > 0)
    return plainError(404, `specified Tenant(s) '${missing.join(',')}' not found in declaration`);
  const left = tenants.filter((name) => wanted.length > 0 && !wanted.includes(name) && name !== 'Common');
  return ok(Object.fromEntries(Object.entries(stored).filter(([name]) => !left.includes(name))));
}

/** Of a whole declaration, as the per-application interface shows it; all of the tenant's without names. */
export function toPerApp(
  declaration: PlainObject,
  tenant: string,
  applications: readonly string[],
): PlainObject {
  const declared = object(declaration[tenant]);
  const names =
    applications.length > 0 ? applications : membersOfClass(declared, 'Application').map(([name]) => name);
  return {
    schemaVersion: declaration.schemaVersion,
    ...Object.fromEntries(names.map((name) => [name, declared[name]])),
  };
}

function readApplications(stored: PlainObject, tenant: string, application: string | undefined): RestAnswer {
  const missing = findMissing(stored, tenant, application);
  return missing ?? ok(toPerApp(stored, tenant, application === undefined ? [] : [application]));
}

/** 404 of a tenant or application that isn't declared. */
export function findMissing(
  stored: PlainObject,
  tenant: string,
  application: string | undefined,
): RestAnswer | undefined {
  const declared = object(stored[tenant]);
  if (declared.class !== 'Tenant')
    return plainError(404, `specified tenant '${tenant}' not found in declaration`);
  if (application === undefined || object(declared[application]).class === 'Application') return undefined;
  return plainError(404, `specified Application '${application}' not found in '${tenant}'`);
}

function describe(declaration: PlainObject, age: number): PlainObject {
  return {
    name: `____appsvcs_declaration-${age}`,
    id: declaration.id,
    timestamp: object(declaration.controls).archiveTimestamp,
    tenants: membersOfClass(declaration, 'Tenant')
      .map(([name]) => name)
      .join(','),
    age,
  };
}
