import {
  type Candidate,
  chooseOwner,
  type NoOwnerReason,
  type ReadyNodes,
  type VirtualAddress,
} from './choose-owner.ts';

export interface Situation {
  self: string;
  /** All nodes with a live agent, ourselves among them. */
  candidates: readonly Candidate[];
  readyNodes: ReadyNodes;
  /** Addresses that we hold now. */
  held: ReadonlySet<string>;
  /** Another live node that claims the address. */
  contender: (address: string) => string | undefined;
}

export interface Decision {
  address: string;
  /** Whether we claim it, or go on claiming it. */
  claim: boolean;
  /** Where we answer for it; set when `claim`. */
  interface?: string;
  /** The node that should own it, as far as we know. */
  owner?: string;
  /** Why nobody should. */
  reason?: NoOwnerReason;
}

/**
 * Which addresses this node claims: those that it should own; and those that it holds though another should, until that
 * other one claims them, so that an address is never left before somebody is there to take it.
 */
export function decideClaims(virtuals: Iterable<VirtualAddress>, situation: Situation): Decision[] {
  const own = situation.candidates.filter((candidate) => candidate.node === situation.self);
  const decisions: Decision[] = [];
  for (const virtual of virtuals) {
    const { address } = virtual;
    const choice = chooseOwner(virtual, situation.candidates, situation.readyNodes);
    if (choice.owner === undefined) {
      decisions.push({ address, claim: false, reason: choice.reason });
    } else if (choice.owner === situation.self) {
      decisions.push({ address, claim: true, interface: choice.interface, owner: choice.owner });
    } else {
      const stay = chooseOwner(virtual, own, situation.readyNodes);
      const stays =
        stay.owner !== undefined && situation.held.has(address) && situation.contender(address) === undefined;
      decisions.push(
        stays
          ? { address, claim: true, interface: stay.interface, owner: choice.owner }
          : { address, claim: false, owner: choice.owner },
      );
    }
  }
  return decisions;
}
