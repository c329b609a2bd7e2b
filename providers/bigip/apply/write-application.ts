import { isClass } from '../../../kube/errors.ts';
import { applicationsPath, type Caller, perApplicationBody } from '../calls/as3.ts';
import { declare } from '../calls/declare.ts';
import type { JsonObject } from '../json.ts';
import type { Inventory } from '../observe/inventory.ts';
import type { ApplicationWrite } from './gathered-writes.ts';
import { buildPlaceholder, isPartitionInUse, PLACEHOLDER } from './keep-partition.ts';

/** Declares one application, or removes it. The size is that of the application, however many others there are. */
export async function writeApplication(
  unit: Caller,
  { application, declaration, owner }: ApplicationWrite,
  { device, tenant }: Inventory,
  signal: AbortSignal,
): Promise<void> {
  const { schemaVersion } = await device.capabilities(unit, signal);
  const post = async (name: string, content: JsonObject) => {
    const body = perApplicationBody(name, content, schemaVersion);
    const path = applicationsPath(tenant);
    const request = { method: 'POST', path, body, operation: 'POST declare' } as const;
    await declare(unit, request, device.times, signal);
  };
  if (declaration !== undefined) return await post(application, declaration);
  const path = applicationsPath(tenant, application);
  const request = { method: 'DELETE', path, operation: 'DELETE declare' } as const;
  const remove = async () => await removeIfThere(declare(unit, request, device.times, signal));
  try {
    await remove();
  } catch (error) {
    if (!isPartitionInUse(error)) throw error;
    await post(PLACEHOLDER, buildPlaceholder(owner.clusterId));
    await remove();
  }
}

export async function removeIfThere(removal: Promise<void>): Promise<void> {
  await removal.catch((error: unknown) => {
    if (!isClass(error, 'NotFound')) throw error;
  });
}
