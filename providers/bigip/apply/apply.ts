import { isClass } from '../../../kube/errors.ts';
import type { Subject } from '../../provider.ts';
import {
  applicationsPath,
  type Caller,
  perApplicationBody,
  readTenant,
  tenantPath,
  wholeTenantBody,
} from '../calls/as3.ts';
import { declare } from '../calls/declare.ts';
import { synchronise } from '../calls/synchronise.ts';
import type { BigipChange } from '../changes.ts';
import type { JsonObject } from '../json.ts';
import { errorOfObstacle, findObstacle } from '../observe/find-obstacle.ts';
import type { Inventory } from '../observe/inventory.ts';
import { markOf } from '../owner.ts';

/** One declaration, alone on the device, and the synchronisation of the group that goes with it. */
export async function applyChange(
  change: BigipChange,
  { id }: Subject,
  inventory: Inventory,
  signal: AbortSignal,
): Promise<void> {
  const { device, tenant } = inventory;
  const { deviceGroup } = device;
  await device.write(signal, async (unit) => {
    const { isLeftOver, perApplication } = await inventory.mayWrite(id, signal);
    const { application } = change;
    const declaration = change.call === 'Declare' ? change.declaration : undefined;
    if (change.call !== 'Synchronise') {
      const work = perApplication ? writeApplication : writeTenant;
      const write = { unit, tenant, application, declaration, inventory, subject: id, signal };
      try {
        // AS3 removes what it knows of: with an empty application it learns of what is there.
        if (isLeftOver && declaration === undefined) {
          await work({ ...write, declaration: { class: 'Application', constants: markOf(id) } });
        }
        await work(write);
      } catch (error) {
        // Refused: the device has what it had. All else may have been carried out.
        if (!isClass(error, 'Rejected')) inventory.forget();
        throw error;
      }
      inventory.wrote(application, declaration, deviceGroup === undefined);
    }
    // Another one's synchronisation may have carried it over.
    if (deviceGroup === undefined || !inventory.owes(application)) return;
    await synchronise(unit, deviceGroup, signal);
    inventory.synced();
  });
}

interface Write {
  unit: Caller;
  tenant: string;
  application: string;
  /** undefined: it is to go. */
  declaration: JsonObject | undefined;
  inventory: Inventory;
  subject: Subject['id'];
  signal: AbortSignal;
}

/** Its size is that of the application, however many others there are. */
async function writeApplication({ application, declaration, inventory, signal, tenant, unit }: Write) {
  const { device } = inventory;
  const { schemaVersion } = await device.capabilities(unit, signal);
  if (declaration !== undefined) {
    const body = perApplicationBody(application, declaration, schemaVersion);
    const path = applicationsPath(tenant);
    const request = { method: 'POST', path, body, operation: 'POST declare' } as const;
    return await declare(unit, request, device.times, signal);
  }
  const path = applicationsPath(tenant, application);
  const request = { method: 'DELETE', path, operation: 'DELETE declare' } as const;
  await removeIfThere(declare(unit, request, device.times, signal));
}

/**
 * The tenant with all others as they were declared last, read anew: one that the device refused was never taken into it,
 * so that it holds up nobody.
 */
async function writeTenant(write: Write): Promise<void> {
  const { application, declaration, inventory, signal, subject, tenant, unit } = write;
  const { device } = inventory;
  const { schemaVersion } = await device.capabilities(unit, signal);
  const applications = (await readTenant(unit, tenant, signal)) ?? {};
  const contents = {
    perApplication: false,
    applications: new Map(Object.entries(applications)),
    live: { loose: [] },
  };
  const obstacle = findObstacle(contents, { id: subject, tenant, clusterId: subject.clusterId });
  if (obstacle !== undefined) throw errorOfObstacle(obstacle);
  const { [application]: _before, ...others } = applications;
  const all = declaration === undefined ? others : { ...others, [application]: declaration };
  const path = tenantPath(tenant);
  if (Object.keys(all).length === 0) {
    const request = { method: 'DELETE', path, operation: 'DELETE declare' } as const;
    return await removeIfThere(declare(unit, request, device.times, signal));
  }
  const body = wholeTenantBody(tenant, all, schemaVersion);
  await declare(unit, { method: 'POST', path, body, operation: 'POST declare' }, device.times, signal);
}

async function removeIfThere(removal: Promise<void>): Promise<void> {
  await removal.catch((error: unknown) => {
    if (!isClass(error, 'NotFound')) throw error;
  });
}
