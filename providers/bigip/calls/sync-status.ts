import { isClass } from '../../../kube/errors.ts';
import { isJsonObject, type Json } from '../json.ts';
import type { Caller } from './as3.ts';

/** The words of F5's "BIG-IP Device Service Clustering: Administration", as `cm/sync-status` has them. */
const SETTLED = new Set(['In Sync', 'Standalone']);
const PENDING = /^(Changes Pending|Not All Devices Synced|Awaiting Initial Sync|Sync Failure)/;

/** What the unit says of its groups in common; undefined: nothing. */
export async function readSyncStatus(unit: Caller, signal: AbortSignal): Promise<string | undefined> {
  try {
    const path = '/mgmt/tm/cm/sync-status';
    const { body } = await unit.call({ method: 'GET', path, operation: 'GET cm/sync-status', signal });
    const entries = isJsonObject(body) && isJsonObject(body.entries) ? Object.values(body.entries) : [];
    const [status] = entries.flatMap(descriptionIn);
    return status;
  } catch (error) {
    if (isClass(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** Whether a group lacks something; undefined: the word says neither (Disconnected, Syncing, ...). */
export function isPending(status: string | undefined): boolean | undefined {
  if (status === undefined || SETTLED.has(status)) return false;
  return PENDING.test(status) ? true : undefined;
}

/** `{nestedStats: {entries: {status: {description}}}}`. */
function descriptionIn(entry: Json): string[] {
  const stats = isJsonObject(entry) ? entry.nestedStats : undefined;
  const entries = isJsonObject(stats) ? stats.entries : undefined;
  const status = isJsonObject(entries) ? entries.status : undefined;
  return isJsonObject(status) && typeof status.description === 'string' ? [status.description] : [];
}
