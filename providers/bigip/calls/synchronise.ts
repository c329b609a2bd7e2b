import { ClassedError, isClass } from '../../../kube/errors.ts';
import type { Caller } from './as3.ts';

/** Copies the configuration of this unit to the others of the group (`tmsh run /cm config-sync to-group`). */
export async function synchronise(unit: Caller, deviceGroup: string, signal: AbortSignal): Promise<void> {
  try {
    await unit.call({
      method: 'POST',
      path: '/mgmt/tm/cm',
      operation: 'POST config-sync',
      body: { command: 'run', utilCmdArgs: `config-sync to-group ${deviceGroup}` },
      signal,
    });
  } catch (error) {
    if (!isClass(error, 'Rejected', 'NotFound')) throw error;
    // Nothing of the Service's: whoever mends the group, or its name, changes nothing that is watched here.
    const message = `${error.message}: see to device group "${deviceGroup}"`;
    throw new ClassedError(message, { class: 'Transient', reason: 'SynchronisationFailed', cause: error });
  }
}
