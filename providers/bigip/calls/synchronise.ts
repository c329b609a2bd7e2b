import type { Caller } from './as3.ts';

/** Copies the configuration of this unit to the others of the group (`tmsh run /cm config-sync to-group`). */
export async function synchronise(unit: Caller, deviceGroup: string, signal: AbortSignal): Promise<void> {
  await unit.call({
    method: 'POST',
    path: '/mgmt/tm/cm',
    operation: 'POST config-sync',
    body: { command: 'run', utilCmdArgs: `config-sync to-group ${deviceGroup}` },
    signal,
  });
}
