import { isClass } from '../../../kube/errors.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { Unit } from './unit.ts';

export const BASE = '/mgmt/shared/appsvcs';
/** The schema that declarations here are made for, and tested with. */
const NEWEST_SCHEMA = '3.56.0';

/** What the AS3 of a unit can do. */
export interface Capabilities {
  /** Of declarations: its own schema, or ours where that is older. */
  schemaVersion: string;
  perApplication: boolean;
}

/** A unit, or what stands for one in tests. */
export type Caller = Pick<Unit, 'call' | 'close' | 'device'>;

/** Per-application declarations are there since 3.50, and could be switched on before (AS3 user guide, "settings"). */
export async function readCapabilities(unit: Caller, signal: AbortSignal): Promise<Capabilities> {
  const info = await unit.call({ method: 'GET', path: `${BASE}/info`, operation: 'GET info', signal });
  const about = isJsonObject(info.body) ? info.body : {};
  const schema = typeof about.schemaCurrent === 'string' ? about.schemaCurrent : about.version;
  const schemaVersion = typeof schema === 'string' ? older(schema, NEWEST_SCHEMA) : NEWEST_SCHEMA;
  const settings = await readSettings(unit, signal);
  const beta = isJsonObject(settings.betaOptions) ? settings.betaOptions : {};
  const allowed = settings.perAppDeploymentAllowed ?? beta.perAppDeploymentAllowed;
  const isUsual = compareVersions(typeof about.version === 'string' ? about.version : '', '3.50.0') >= 0;
  return { schemaVersion, perApplication: allowed === undefined ? isUsual : allowed === true };
}

async function readSettings(unit: Caller, signal: AbortSignal): Promise<JsonObject> {
  try {
    const path = `${BASE}/settings`;
    const { body } = await unit.call({ method: 'GET', path, operation: 'GET settings', signal });
    return isJsonObject(body) ? body : {};
  } catch (error) {
    if (isClass(error, 'NotFound')) return {};
    throw error;
  }
}

/** What was declared last in a tenant, by application; undefined: AS3 has no such tenant. */
export async function readTenant(
  unit: Caller,
  tenant: string,
  signal: AbortSignal,
): Promise<Record<string, JsonObject> | undefined> {
  const path = tenantPath(tenant);
  const answer = await unit
    .call({ method: 'GET', path, operation: 'GET declare', signal })
    .catch((error: unknown) => {
      // AS3 answers 204 where nothing was ever declared, and 404 for a tenant that it doesn't know.
      if (isClass(error, 'NotFound')) return undefined;
      throw error;
    });
  const body = answer?.body;
  const declared = isJsonObject(body) ? body[tenant] : undefined;
  if (!isJsonObject(declared)) return undefined;
  const applications = Object.entries(declared).filter((entry): entry is [string, JsonObject] => {
    const [, value] = entry;
    return isJsonObject(value) && value.class === 'Application';
  });
  return Object.fromEntries(applications);
}

/** One application, without a word of the others. */
export function perApplicationBody(name: string, application: JsonObject, schemaVersion: string): JsonObject {
  return { schemaVersion, [name]: application };
}

/** A whole tenant: what isn't in it is gone. */
export function wholeTenantBody(
  tenant: string,
  applications: Readonly<Record<string, JsonObject>>,
  schemaVersion: string,
): JsonObject {
  return {
    class: 'ADC',
    schemaVersion,
    updateMode: 'selective',
    [tenant]: { class: 'Tenant', ...applications },
  };
}

export function tenantPath(tenant: string): string {
  return `${BASE}/declare/${tenant}`;
}

/** Of all applications of a tenant, or of one. */
export function applicationsPath(tenant: string, application?: string): string {
  return `${tenantPath(tenant)}/applications${application === undefined ? '' : `/${application}`}`;
}

function older(a: string, b: string): string {
  return compareVersions(a, b) < 0 ? a : b;
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
