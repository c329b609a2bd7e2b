import type { Clock } from '../clock.ts';
import type { SyncedState } from '../cluster.ts';
import { membersOfClass, object, type PlainObject } from '../plain.ts';
import type { RestAnswer } from '../rest-answer.ts';
import { applyTenant } from './apply-tenant.ts';
import { buildTenant } from './build-tenant.ts';
import { checkReferences } from './check-references.ts';
import { applyPatch, InvalidPatch } from './json-patch.ts';
import { findMissing } from './read-declaration.ts';
import { plainError, type Work } from './read-request.ts';
import type { SchemaCheck } from './schema-check.ts';

/** Declarations that AS3 keeps. */
const HISTORY = 4;

export interface DeployOptions {
  clock: Clock;
  schema: SchemaCheck;
  startedAt: number;
  /** false: the configuration changes, the declaration isn't kept. */
  save: boolean;
}

export interface Deployed {
  answer: RestAnswer;
  changes: number;
}

/**
 * Does what a declaration wants, in AS3's order: what is invalid refuses all of it (422), what the device refuses is refused by
 * tenant (207, or 422 when none is left).
 */
export function deploy(state: SyncedState, work: Work, options: DeployOptions): Deployed {
  const previous = state.declarations[0] ?? {};
  const target = aim(previous, work);
  if ('status' in target) return { answer: target, changes: 0 };
  const { declaration, tenants } = target;
  const invalid =
    work.kind === 'remove' && work.perApp === undefined
      ? undefined
      : check(state, work, target, options.schema);
  if (invalid !== undefined) return { answer: invalid, changes: 0 };
  const results: PlainObject[] = [];
  const failed = new Set<string>();
  let changes = 0;
  for (const tenant of tenants) {
    const startedAt = options.clock.now();
    const applications = work.perApp === undefined ? undefined : new Set(work.perApp.applications);
    const scope = { tenant, applications };
    const built = buildTenant(state.configuration, declaration, scope);
    const declared = object(declaration[tenant]);
    const applied = applyTenant(state.configuration, built, scope, declared, work.dryRun);
    const rest = {
      host: 'localhost',
      tenant,
      runTime: options.clock.now() - startedAt,
      declarationId: declaration.id,
    };
    if ('refusal' in applied) {
      failed.add(tenant);
      results.push({ code: 422, message: 'declaration failed', response: applied.refusal, ...rest });
      continue;
    }
    changes += applied.changes;
    const dry = work.dryRun ? { dryRun: true } : {};
    if (applied.changes === 0) results.push({ code: 200, message: 'no change', ...dry, ...rest });
    else results.push({ code: 200, message: 'success', ...dry, lineCount: applied.changes, ...rest });
  }
  if (tenants.length === 0) results.push({ code: 200, message: 'no change', host: 'localhost' });
  const kept = keep(previous, target, failed, work, options.clock);
  if (options.save && !work.dryRun) state.declarations = [kept, ...state.declarations].slice(0, HISTORY);
  const status = failed.size === 0 ? 200 : failed.size === results.length ? 422 : 207;
  const shown = Object.fromEntries(
    Object.entries(kept).filter(
      ([name, value]) => object(value).class !== 'Tenant' || tenants.includes(name),
    ),
  );
  const body = {
    results,
    declaration: shown,
    ...(work.dryRun && { dryRun: true }),
    ...(status !== 200 && { code: status }),
  };
  return { answer: { status, body }, changes };
}

interface Target {
  /** All of a tenant that changes, also when the call is about one application. */
  declaration: PlainObject;
  /** As it was sent, without what was there before. */
  base: PlainObject;
  tenants: string[];
}

function aim(previous: PlainObject, work: Work): Target | RestAnswer {
  const { declaration, perApp } = work;
  const named = (from: PlainObject) => membersOfClass(from, 'Tenant').map(([name]) => name);
  if (perApp !== undefined) {
    const { tenant, applications } = perApp;
    if (work.kind === 'remove') {
      const missing = findMissing(previous, tenant, applications[0]);
      if (missing !== undefined) return missing;
    }
    const { controls: _controls, ...before } = object(previous[tenant]);
    const merged: PlainObject = { ...before, ...object(declaration[tenant]), class: 'Tenant' };
    if (work.kind === 'remove') for (const name of applications) delete merged[name];
    return { declaration: { ...declaration, [tenant]: merged }, base: declaration, tenants: [tenant] };
  }
  if (work.kind === 'patch') {
    try {
      const patched = applyPatch(previous, work.patch);
      return {
        declaration: patched,
        base: patched,
        tenants: work.tenants.filter((name) => name in patched || name in previous),
      };
    } catch (error) {
      if (error instanceof InvalidPatch)
        return plainError(422, `InvalidPatchOperationError: ${error.message}`);
      throw error;
    }
  }
  if (declaration.updateMode !== 'complete')
    return { declaration, base: declaration, tenants: named(declaration) };
  // Complete: what isn't in it goes.
  const gone = named(previous).filter((name) => !(name in declaration));
  const complete = { ...declaration, ...Object.fromEntries(gone.map((name) => [name, { class: 'Tenant' }])) };
  return { declaration: complete, base: complete, tenants: named(complete) };
}

function check(
  { configuration }: SyncedState,
  work: Work,
  { declaration, tenants }: Target,
  schema: SchemaCheck,
): RestAnswer | undefined {
  const refuse = (message: string, errors: readonly string[] | undefined) => {
    const affected =
      tenants.length === 1
        ? tenants
        : tenants.filter((name) => errors?.some((error) => error.startsWith(`/${name}/`)));
    return {
      status: 422,
      body: {
        code: 422,
        ...(errors !== undefined && { errors }),
        message,
        host: 'localhost',
        ...(affected.length > 0 && { tenant: affected }),
        declarationId: declaration.id,
      },
    };
  };
  const wrong = work.perApp === undefined ? schema.checkAdc(declaration) : [];
  if (wrong.length > 0) return refuse('declaration is invalid', wrong);
  for (const tenant of tenants) {
    const applications = work.perApp === undefined ? undefined : new Set(work.perApp.applications);
    const { undeclared, missing } = checkReferences(configuration, declaration, tenant, applications);
    if (undeclared.length > 0) return refuse('declaration is invalid', undeclared);
    if (missing !== undefined) return refuse(missing, undefined);
  }
  return undefined;
}

/** The declaration as AS3 keeps it: what was sent, over the tenants that were there. */
function keep(
  previous: PlainObject,
  { base, declaration }: Target,
  failed: ReadonlySet<string>,
  work: Work,
  clock: Clock,
): PlainObject {
  const kept: PlainObject = Object.fromEntries(membersOfClass(previous, 'Tenant'));
  const hasApplications = (tenant: unknown) => membersOfClass(object(tenant), 'Application').length > 0;
  for (const [name, value] of Object.entries(base)) {
    if (failed.has(name)) continue;
    if (object(value).class !== 'Tenant') kept[name] = value;
    else if (!hasApplications(value)) delete kept[name];
    else kept[name] = work.perApp === undefined ? value : { ...object(kept[name]), ...object(value) };
  }
  if (work.perApp !== undefined && work.kind === 'remove' && !failed.has(work.perApp.tenant)) {
    const { tenant } = work.perApp;
    if (hasApplications(declaration[tenant])) kept[tenant] = declaration[tenant];
    else delete kept[tenant];
  }
  kept.controls = { ...object(kept.controls), archiveTimestamp: new Date(clock.now()).toISOString() };
  return kept;
}
