import { sleep } from '../../../kube/backoff.ts';
import { ClassedError, isClass } from '../../../kube/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { BUSY, errorOfResult } from './classify-bigip-error.ts';
import type { Unit, UnitAnswer, UnitRequest } from './unit.ts';

const BASE = '/mgmt/shared/appsvcs';
/** The schema that declarations here are made for, and tested with. */
const NEWEST_SCHEMA = '3.56.0';
/** A small declaration is carried out within a second, a large one within minutes. */
const FIRST_POLL_MS = 25;
const POLL_GROWTH = 1.5;
/** At a task, of a unit that doesn't answer. */
const MOST_LOOKS = 4;

/** What the AS3 of a unit can do. */
export interface Capabilities {
  /** Of declarations: its own schema, or ours where that is older. */
  schemaVersion: string;
  perApplication: boolean;
}

export interface DeclareTimes {
  /** How long one declaration may take. */
  declarationMs: number;
  /** Between two looks at a task, at most: the first come sooner. */
  pollMs: number;
  /** Before a device that is busy is asked again. */
  busyMs: number;
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

/**
 * Has the device carry out a declaration, or a removal, to its end: a device that is busy is waited for, and a task asked
 * for until it's over. Throws ClassedErrors; `Rejected` says that the device has what it had.
 */
export async function declare(
  unit: Caller,
  request: DeclareRequest,
  times: DeclareTimes,
  signal: AbortSignal,
): Promise<void> {
  const endsAt = performance.now() + times.declarationMs;
  for (;;) {
    try {
      return await declareOnce(unit, request, { ...times, endsAt }, signal);
    } catch (error) {
      // Said at once, or as the end of a task that had to wait.
      if (!isBusy(error) || performance.now() + times.busyMs > endsAt) throw error;
      await sleep(times.busyMs, signal);
      signal.throwIfAborted();
    }
  }
}

type DeclareRequest = Pick<UnitRequest, 'method' | 'path' | 'body' | 'operation'>;
type Times = DeclareTimes & { endsAt: number };

/** AS3 has `async` for posts; all others it makes asynchronous itself when they take long. */
async function declareOnce(
  unit: Caller,
  request: DeclareRequest,
  times: Times,
  signal: AbortSignal,
): Promise<void> {
  const path = request.method === 'POST' ? `${request.path}?async=true` : request.path;
  let answer = await unit.call({ ...request, path, signal, timeoutMs: times.declarationMs });
  const what = `${request.method} ${request.path} of ${unit.device}`;
  const id = isJsonObject(answer.body) && typeof answer.body.id === 'string' ? answer.body.id : undefined;
  let waitMs = Math.min(FIRST_POLL_MS, times.pollMs);
  while (isRunning(answer)) {
    if (id === undefined || performance.now() > times.endsAt) throw unfinished(what, times.declarationMs);
    await sleep(waitMs, signal);
    waitMs = Math.min(times.pollMs, waitMs * POLL_GROWTH);
    signal.throwIfAborted();
    answer = await askTask(unit, id, what, times, signal);
  }
  judge(answer, what);
}

/**
 * A look that failed ends nothing, since the task goes on; a unit that fails again and again is given up, for another one may
 * be active by now. A task that the device knows no more was lost with a restart.
 */
async function askTask(
  unit: Caller,
  id: string,
  what: string,
  { pollMs }: Times,
  signal: AbortSignal,
): Promise<UnitAnswer> {
  for (let tries = 1; ; tries++) {
    try {
      const path = `${BASE}/task/${id}`;
      return await unit.call({ method: 'GET', path, operation: 'GET task', signal });
    } catch (error) {
      signal.throwIfAborted();
      if (isClass(error, 'NotFound')) throw lost(what, error);
      if (!isClass(error, 'Transient') || tries === MOST_LOOKS) throw error;
      await sleep(pollMs * 2 ** tries, signal);
    }
  }
}

/** Results without a code, or with the message of one that waits: `in progress`, `pending`. */
function isRunning({ body, code }: UnitAnswer): boolean {
  const results = resultsOf(body);
  if (results.length === 0) return code === 202;
  return results.some((result) => {
    const message = typeof result.message === 'string' ? result.message : '';
    return /^(in progress|pending|Declaration successfully submitted)/i.test(message) || result.code === 202;
  });
}

/** The answer is 207 where tenants came to different ends; each of the results has a code of its own. */
function judge({ body }: UnitAnswer, what: string): void {
  for (const result of resultsOf(body)) {
    const { code, message } = result;
    if (typeof message === 'string' && /^task cancelled/i.test(message)) throw lost(what);
    if (typeof code === 'number' && code >= 400) throw errorOfResult(code, result, what);
  }
}

function resultsOf(body: Json | undefined): JsonObject[] {
  if (!isJsonObject(body)) return [];
  if (Array.isArray(body.results)) return body.results.filter(isJsonObject);
  return typeof body.code === 'number' ? [body] : [];
}

function isBusy(error: unknown): boolean {
  return isClass(error) && error.reason === BUSY;
}

/** AS3 was restarted: what it was about may have been carried out, or not. */
function lost(what: string, cause?: unknown): ClassedError {
  return new ClassedError(`${what}: AS3 was restarted before it told how it ended`, {
    class: 'Transient',
    reason: 'DeclarationLost',
    cause,
  });
}

function unfinished(what: string, ms: number): ClassedError {
  const message = `${what}: not carried out within ${ms / 1000} seconds`;
  return new ClassedError(message, { class: 'Transient', reason: 'DeclarationTimeout' });
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
