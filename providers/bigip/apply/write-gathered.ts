import { isClass } from '../../../kube/errors.ts';
import type { Caller } from '../calls/as3.ts';
import type { Inventory } from '../observe/inventory.ts';
import { explainRefusal } from './explain-refusal.ts';
import type { WaitingWrite } from './gathered-writes.ts';
import { writeTenant } from './write-tenant.ts';

/**
 * All that waits for the device in one declaration of the whole tenant. Where the device refuses it, each half alone, and so
 * on: who is refused is found in a few declarations, and holds up none of the others. What failed otherwise failed for
 * all, but for the end of who began it: the others go on in their own turn.
 */
export async function writeGathered(
  unit: Caller,
  waiting: readonly WaitingWrite[],
  inventory: Inventory,
  signal: AbortSignal,
): Promise<void> {
  try {
    await writeHalves(unit, waiting, inventory, signal);
  } catch (failure) {
    // It may have been carried out.
    for (const { waits, write } of waiting) if (waits) inventory.doubt(write.application);
    if (signal.aborted) throw failure;
    for (const each of waiting) if (each.waits) each.failed(failure);
  }
}

async function writeHalves(
  unit: Caller,
  waiting: readonly WaitingWrite[],
  inventory: Inventory,
  signal: AbortSignal,
): Promise<void> {
  try {
    await writeTenant(
      unit,
      waiting.map(({ write }) => write),
      inventory,
      signal,
    );
  } catch (failure) {
    // Refused: the device has what it had.
    if (!isClass(failure, 'Rejected')) throw failure;
    const [only, ...others] = waiting;
    if (others.length === 0) {
      only?.failed(explainRefusal(failure, inventory.tenant));
      return;
    }
    const middle = Math.ceil(waiting.length / 2);
    await writeHalves(unit, waiting.slice(0, middle), inventory, signal);
    await writeHalves(unit, waiting.slice(middle), inventory, signal);
    return;
  }
  for (const each of waiting) {
    const { application, declaration } = each.write;
    inventory.wrote(application, declaration, inventory.device.deviceGroup === undefined);
    each.done();
  }
}
