import { isClass } from '../../../kube/errors.ts';
import { type Caller, readTenant } from '../calls/as3.ts';
import type { Device } from '../calls/device.ts';
import { isPending, readSyncStatus } from '../calls/sync-status.ts';
import { canonical, type JsonObject } from '../json.ts';
import { readFolders } from './read-live.ts';

/** Names of applications that the group has otherwise; `all`: it lacks something, and no other unit can be asked what. */
export type Owed = ReadonlySet<string> | 'all';

/**
 * What the active unit has and the group doesn't: a process that ended between a declaration and its synchronisation left it
 * behind. What others changed and keep to themselves isn't ours to synchronise, so that the tenant of another unit is
 * read, where one is known. undefined: it can't be told now.
 */
export async function findOwed(
  {
    applications,
    device,
    tenant,
    unit,
  }: {
    device: Device;
    unit: Caller;
    tenant: string;
    /** As the active unit has them. */
    applications: ReadonlyMap<string, JsonObject>;
  },
  signal: AbortSignal,
): Promise<Owed | undefined> {
  if (device.deviceGroup === undefined) return new Set();
  const pending = isPending(await readSyncStatus(unit, signal));
  if (pending !== true) return pending === false ? new Set() : undefined;
  const others = device.others(unit);
  if (others.length === 0) return 'all';
  const owed = new Set<string>();
  for (const other of others) {
    try {
      const theirs = new Map(Object.entries((await readTenant(other, tenant, signal)) ?? {}));
      for (const name of new Set([...applications.keys(), ...theirs.keys()])) {
        if (canonical(applications.get(name)) !== canonical(theirs.get(name))) owed.add(name);
      }
      // What its AS3 carried out and was ended before it noted.
      for (const name of await readFolders(other, tenant, signal)) if (!theirs.has(name)) owed.add(name);
    } catch (error) {
      signal.throwIfAborted();
      if (!isClass(error)) throw error;
      return undefined;
    }
  }
  return owed;
}
