import type { SecurityGroupPorts } from '../model.ts';

type Ports = readonly SecurityGroupPorts[];

/**
 * What stacks need that wait for their turn with the rules of nodes: whoever has the turn lets it in for all of them, so that a
 * thousand at once aren't a thousand changes one after the other.
 */
export class AwaitedPorts {
  readonly #byStack = new Map<string, Ports>();

  get byStack(): ReadonlyMap<string, Ports> {
    return this.#byStack;
  }

  /** Counts as waiting from now on, until the work is done or given up. */
  async during<T>(stack: string, ports: Ports, work: () => Promise<T>): Promise<T> {
    this.#byStack.set(stack, ports);
    try {
      return await work();
    } finally {
      // One stack is changed by one at a time: nobody else's is taken away.
      this.#byStack.delete(stack);
    }
  }
}
