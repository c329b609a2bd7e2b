import { applyChange } from '../../../../../providers/bigip/apply/apply.ts';
import { buildModel } from '../../../../../providers/bigip/build/build-model.ts';
import type { BigipChange } from '../../../../../providers/bigip/changes.ts';
import { diffModel } from '../../../../../providers/bigip/diff/diff-model.ts';
import type { Inventory } from '../../../../../providers/bigip/observe/inventory.ts';
import { tellStatus } from '../../../../../providers/bigip/status.ts';
import type { DesiredLoadBalancer, ProviderStatus, Subject } from '../../../../../providers/provider.ts';

const { signal } = new AbortController();

/** As the operator does it: build, observe, diff, apply. Answers the changes that were made. */
export async function bring(inventory: Inventory, desired: DesiredLoadBalancer): Promise<BigipChange[]> {
  const model = buildModel(desired);
  const changes = diffModel(model, await inventory.observe(desired, signal));
  for (const change of changes) await applyChange(change, desired, inventory, signal);
  return changes;
}

/** Nobody asks for it any more. */
export async function remove(inventory: Inventory, { id, provider }: Subject): Promise<BigipChange[]> {
  const subject = { id, provider };
  const changes = diffModel(undefined, await inventory.observe(subject, signal));
  for (const change of changes) await applyChange(change, subject, inventory, signal);
  return changes;
}

export async function statusOf(inventory: Inventory, desired: DesiredLoadBalancer): Promise<ProviderStatus> {
  return tellStatus(buildModel(desired), await inventory.observe(desired, signal));
}
