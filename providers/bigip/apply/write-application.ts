import { isClass } from '../../../kube/errors.ts';
import { applicationsPath, type Caller, perApplicationBody } from '../calls/as3.ts';
import { declare } from '../calls/declare.ts';
import type { Inventory } from '../observe/inventory.ts';
import type { ApplicationWrite } from './gathered-writes.ts';

/** Declares one application, or removes it. The size is that of the application, however many others there are. */
export async function writeApplication(
  unit: Caller,
  { application, declaration }: Omit<ApplicationWrite, 'owner'>,
  { device, tenant }: Inventory,
  signal: AbortSignal,
): Promise<void> {
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

export async function removeIfThere(removal: Promise<void>): Promise<void> {
  await removal.catch((error: unknown) => {
    if (!isClass(error, 'NotFound')) throw error;
  });
}
