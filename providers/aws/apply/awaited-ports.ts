import type { SecurityGroupPorts } from '../model.ts';
import type { Inventory } from '../observe/inventory.ts';

type Ports = readonly SecurityGroupPorts[];

const awaited = new WeakMap<Inventory, Map<string, Ports>>();

/**
 * What stacks need that wait for their turn with the rules of nodes: whoever has the turn lets it in for all of them, so that a
 * thousand at once aren't a thousand changes one after the other.
 */
export function awaitedPorts(inventory: Inventory): ReadonlyMap<string, Ports> {
  return awaited.get(inventory) ?? new Map();
}

/** Counts as waiting from now on, until the work is done or given up. */
export async function whileAwaited<T>(
  inventory: Inventory,
  stack: string,
  ports: Ports,
  work: () => Promise<T>,
): Promise<T> {
  const all = awaited.get(inventory) ?? new Map<string, Ports>();
  awaited.set(inventory, all);
  all.set(stack, ports);
  try {
    return await work();
  } finally {
    // One stack is changed by one at a time: nobody else's is taken away.
    all.delete(stack);
  }
}
