import { type Caller, readTenant, tenantPath, wholeTenantBody } from '../calls/as3.ts';
import { declare } from '../calls/declare.ts';
import type { JsonObject } from '../json.ts';
import { errorOfObstacle, findObstacle } from '../observe/find-obstacle.ts';
import type { Inventory } from '../observe/inventory.ts';
import type { ApplicationWrite } from './gathered-writes.ts';
import { buildPlaceholder, isPartitionInUse, PLACEHOLDER } from './keep-partition.ts';
import { removeIfThere } from './write-application.ts';

/**
 * Declares the tenant with these applications in it, or without them, and all others as they were declared last, read anew:
 * one that the device refused was never taken into it, so that it holds up nobody.
 */
export async function writeTenant(
  unit: Caller,
  writes: readonly ApplicationWrite[],
  { device, tenant }: Inventory,
  signal: AbortSignal,
): Promise<void> {
  const { schemaVersion } = await device.capabilities(unit, signal);
  const stored = (await readTenant(unit, tenant, signal)) ?? {};
  checkObstacles(writes, stored, tenant);
  const applications = new Map(Object.entries(stored));
  for (const { application, declaration } of writes) {
    applications.delete(application);
    if (declaration !== undefined) applications.set(application, declaration);
  }
  const path = tenantPath(tenant);
  if ([...applications.keys()].every((name) => name === PLACEHOLDER)) {
    const request = { method: 'DELETE', path, operation: 'DELETE declare' } as const;
    try {
      return await removeIfThere(declare(unit, request, device.times, signal));
    } catch (error) {
      const [first] = writes;
      if (first === undefined || !isPartitionInUse(error)) throw error;
      applications.set(PLACEHOLDER, buildPlaceholder(first.owner.clusterId));
    }
  }
  const body = wholeTenantBody(tenant, Object.fromEntries(applications), schemaVersion);
  await declare(unit, { method: 'POST', path, body, operation: 'POST declare' }, device.times, signal);
}

function checkObstacles(
  writes: readonly ApplicationWrite[],
  stored: Readonly<Record<string, JsonObject>>,
  tenant: string,
): void {
  const applications = new Map(Object.entries(stored));
  for (const { owner } of writes) {
    const contents = { perApplication: false, applications, loose: [], folders: [] };
    const obstacle = findObstacle(contents, {
      id: owner,
      tenant,
      clusterId: owner.clusterId,
      isRemoval: false,
    });
    if (obstacle !== undefined) throw errorOfObstacle(obstacle);
  }
}
