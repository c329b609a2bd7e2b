import type { Caller } from '../../../../../providers/bigip/calls/as3.ts';
import { Device } from '../../../../../providers/bigip/calls/device.ts';
import { Inventory } from '../../../../../providers/bigip/observe/inventory.ts';
import { KeyedLock } from '../../../../../providers/keyed-lock.ts';
import { CLUSTER, TENANT } from './desired.ts';

/** What the provider knows of a device, by callers of the test's own. */
export function inventoryOf(
  units: readonly Caller[],
  { deviceGroup, now = () => 0 }: { deviceGroup?: string; now?: () => number } = {},
): Inventory {
  const device = new Device({
    units,
    queue: new KeyedLock(),
    times: { declarationMs: 15_000, pollMs: 1, busyMs: 1 },
    deviceGroup,
  });
  return new Inventory({ device, tenant: TENANT, clusterId: CLUSTER, declarations: 'Auto', now });
}
