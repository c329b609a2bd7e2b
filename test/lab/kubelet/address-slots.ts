import type { LabNode } from '../network/addresses.ts';

const FIRST = 2;
const LAST = 254;

/** Gives out the pod addresses of one node; one just given back is the last to be given out again. */
export class AddressSlots {
  readonly #used = new Set<number>();
  #next = FIRST;

  /** Takes a free slot, or the one that a pod of an earlier life of the kubelet has. */
  take(wanted?: number): number {
    if (wanted !== undefined) {
      this.#used.add(wanted);
      if (wanted >= this.#next) this.#next = wanted === LAST ? FIRST : wanted + 1;
      return wanted;
    }
    for (let tried = FIRST; tried <= LAST; tried++) {
      const slot = this.#next;
      this.#next = slot === LAST ? FIRST : slot + 1;
      if (!this.#used.has(slot)) {
        this.#used.add(slot);
        return slot;
      }
    }
    throw new Error('no free pod address on this node');
  }

  giveBack(slot: number): void {
    this.#used.delete(slot);
  }
}

/**
 * The addresses of a slot: 10.244.1.42 and fd00:244:0:1::42 belong together. The Ethernet address (locally administered)
 * goes with them, so that what a neighbour remembers of an address holds for the next pod that has it.
 */
export function slotAddress(node: LabNode, slot: number): { v4: string; v6: string; mac: string } {
  const hex = (part: number) => part.toString(16).padStart(2, '0');
  return {
    mac: `02:00:0a:f4:${hex(node.number)}:${hex(slot)}`,
    v4: node.podCidr.v4.replace(/\.0\/24$/, `.${slot}`),
    v6: node.podCidr.v6.replace(/::\/64$/, `::${slot}`),
  };
}
