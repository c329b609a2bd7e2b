import type { Provider } from '../provider.ts';
import { applyChange } from './apply/apply.ts';
import { buildModel } from './build/build-model.ts';
import { Devices, type DevicesOptions } from './calls/devices.ts';
import type { BigipChange } from './changes.ts';
import { diffModel } from './diff/diff-model.ts';
import type { BigipModel } from './model.ts';
import type { BigipObserved } from './observed.ts';
import { tellStatus } from './status.ts';
import { validateBigip } from './validate-bigip.ts';

/** F5 BIG-IP: an AS3 application for each Service, in a tenant of ours (docs/adr/0015). */
export function createBigipProvider(
  options: DevicesOptions,
): Provider<BigipModel, BigipObserved, BigipChange> {
  const devices = new Devices(options);
  return {
    type: 'bigip',
    addressesFromPools: true,
    external: true,
    validate: validateBigip,
    build: buildModel,
    diff: diffModel,
    status: tellStatus,
    observe: async (subject, _applied, signal) => {
      const inventory = await devices.inventoryOf(subject.provider, subject.id.clusterId, signal);
      return await inventory.observe(subject, signal);
    },
    apply: async (change, subject, signal) => {
      const inventory = await devices.inventoryOf(subject.provider, subject.id.clusterId, signal);
      await applyChange(change, subject, inventory, signal);
    },
    refresh: async (provider, clusterId, signal, seen = () => {}) => {
      const inventory = await devices.inventoryOf(provider, clusterId, signal);
      // Another provider of the same tenant finds its own.
      const isOwn = ({ name }: { name: string }) => name.endsWith(`.${provider.name}`);
      const owners = (await inventory.refresh(signal)).filter(isOwn);
      seen(owners);
      return owners;
    },
  };
}
