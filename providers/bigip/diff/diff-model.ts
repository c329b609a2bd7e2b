import type { FieldChange } from '../../provider.ts';
import type { BigipChange } from '../changes.ts';
import { canonical, type JsonObject } from '../json.ts';
import type { BigipModel } from '../model.ts';
import { applicationOf } from '../names.ts';
import type { BigipObserved } from '../observed.ts';
import { expectLive } from './expect-live.ts';
import { diffFlat, flattenDeclaration } from './flatten.ts';
import { planApplication } from './plan-application.ts';

/** Of a summary; all of them are in `fields`. */
const NAMED = 5;

/**
 * What is to be declared: one application, whatever else the tenant holds. What is marked as this LoadBalancer's under
 * another name goes after that.
 */
export function diffModel(model: BigipModel | undefined, observed: BigipObserved): BigipChange[] {
  const own = model?.application;
  const leftOver = observed.isLeftOver && model === undefined ? [applicationOf(observed.owner)] : [];
  const stale = [...Object.keys(observed.applications).filter((name) => name !== own), ...leftOver].sort();
  const removals = stale.map((application) => buildRemoval(application, observed));
  if (model === undefined) return removals.length > 0 ? removals : diffSync(observed);
  // Told by status; what is to go stays a change, since nothing to do would mean that it's gone.
  if (observed.obstacle !== undefined) return [];
  return [...diffApplication(model, observed), ...removals];
}

function diffApplication(model: BigipModel, observed: BigipObserved): BigipChange[] {
  const { application, tenant } = model;
  const stored = observed.applications[application];
  const { declaration } = planApplication(model, stored, observed.now);
  const target = { resource: 'Application', call: 'Declare', tenant, application, declaration } as const;
  const path = `/${tenant}/${application}`;
  if (stored === undefined) {
    return [{ action: 'Create', ...target, summary: `Declare application ${path}` }];
  }
  // By hand is what differs from what was declared, whatever is to be declared now.
  const fields = [...diffDeclared(stored, declaration), ...diffLive(stored, observed)];
  if (fields.length > 0) {
    return [
      {
        action: 'Update',
        ...target,
        fields,
        summary: `Declare application ${path}: ${describe(fields)}`,
      },
    ];
  }
  return diffSync(observed);
}

/** Written or removed on the active unit, and the group has what it had. */
function diffSync({ owner, tenant, unsynced }: BigipObserved): BigipChange[] {
  if (!unsynced) return [];
  const application = applicationOf(owner);
  const summary = `Synchronise the device group with application /${tenant}/${application}`;
  return [{ action: 'Update', resource: 'DeviceGroup', call: 'Synchronise', tenant, application, summary }];
}

function diffDeclared(stored: JsonObject, declaration: JsonObject): FieldChange[] {
  if (canonical(stored) === canonical(declaration)) return [];
  const fields = diffFlat(flattenDeclaration(stored), flattenDeclaration(declaration));
  // Lists in another order, and what is declared in another way, are flat alike.
  return fields.length > 0
    ? fields
    : [{ field: 'declaration', actual: 'in another form', expected: 'as ours' }];
}

function diffLive(stored: JsonObject, { live }: BigipObserved): FieldChange[] {
  return live === undefined ? [] : diffFlat(live, expectLive(stored));
}

function buildRemoval(application: string, { owner, tenant }: BigipObserved): BigipChange {
  const why = application === applicationOf(owner) ? '' : ', which has another name now';
  return {
    action: 'Delete',
    resource: 'Application',
    call: 'Remove',
    tenant,
    application,
    summary: `Remove application /${tenant}/${application}${why}`,
  };
}

function describe(fields: readonly FieldChange[]): string {
  const told = fields
    .slice(0, NAMED)
    .map(({ actual, expected, field }) => `${field} ${actual} -> ${expected}`);
  const more = fields.length > NAMED ? `, and ${fields.length - NAMED} more` : '';
  return `${told.join(', ')}${more}`;
}
