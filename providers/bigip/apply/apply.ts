import { isClass } from '../../../kube/errors.ts';
import type { Subject } from '../../provider.ts';
import type { Caller } from '../calls/as3.ts';
import { synchronise } from '../calls/synchronise.ts';
import type { BigipChange } from '../changes.ts';
import type { Inventory } from '../observe/inventory.ts';
import { markOf } from '../owner.ts';
import { explainRefusal } from './explain-refusal.ts';
import type { WaitingWrite } from './gathered-writes.ts';
import { writeApplication } from './write-application.ts';
import { writeGathered } from './write-gathered.ts';
import { writeTenant } from './write-tenant.ts';

/** One declaration, alone on the device, and the synchronisation of the group that goes with it. */
export async function applyChange(
  change: BigipChange,
  { id: owner }: Subject,
  inventory: Inventory,
  signal: AbortSignal,
): Promise<void> {
  const { device, gathered } = inventory;
  const { application } = change;
  const synchroniseGroup = async (unit: Caller) => {
    if (device.deviceGroup === undefined) return;
    await synchronise(unit, device.deviceGroup, signal);
    inventory.synced();
  };
  if (change.call === 'Synchronise') {
    // Another one's synchronisation may have carried it over.
    return await device.write(signal, synchroniseGroup, () => !inventory.mayOwe(application));
  }
  const declaration = change.call === 'Declare' ? change.declaration : undefined;
  const waiting = gathered.add({ owner, application, declaration });
  const isOver = () => !waiting.waits && !(waiting.isDone && inventory.owes(application));
  try {
    await device.write(
      signal,
      async (unit) => {
        if (waiting.waits) await carryOut(unit, waiting, inventory, signal);
        waiting.check();
        if (inventory.owes(application)) await synchroniseGroup(unit);
      },
      isOver,
    );
  } finally {
    gathered.drop(waiting);
  }
  waiting.check();
}

/** Alone where the device takes applications one by one, else with all others that wait. */
async function carryOut(
  unit: Caller,
  waiting: WaitingWrite,
  inventory: Inventory,
  signal: AbortSignal,
): Promise<void> {
  const { application, declaration, owner } = waiting.write;
  const { isLeftOver, perApplication } = await inventory.mayWrite(waiting.write, signal);
  if (!perApplication && !isLeftOver) {
    return await writeGathered(unit, await whoMay(waiting, inventory, signal), inventory, signal);
  }
  const write = async (one: typeof waiting.write) =>
    perApplication
      ? await writeApplication(unit, one, inventory, signal)
      : await writeTenant(unit, [one], inventory, signal);
  try {
    // AS3 removes what it knows of: with an empty application it learns of what is there.
    if (isLeftOver && declaration === undefined) {
      await write({ owner, application, declaration: { class: 'Application', constants: markOf(owner) } });
    }
    await write(waiting.write);
  } catch (error) {
    // Refused: the device has what it had. All else may have been carried out.
    if (!isClass(error, 'Rejected')) inventory.doubt(application);
    throw explainRefusal(error, inventory.tenant);
  }
  inventory.wrote(application, declaration, inventory.device.deviceGroup === undefined);
  waiting.done();
}

/** All that wait, but for those that something is in the way of, or that take more than a declaration. */
async function whoMay(
  first: WaitingWrite,
  inventory: Inventory,
  signal: AbortSignal,
): Promise<WaitingWrite[]> {
  const may: WaitingWrite[] = [];
  for (const each of inventory.gathered.with(first)) {
    const allowed = await inventory.mayWrite(each.write, signal).catch((error: unknown) => {
      if (isClass(error, 'Rejected')) return undefined;
      throw error;
    });
    if (allowed !== undefined && !allowed.isLeftOver) may.push(each);
  }
  return may;
}
