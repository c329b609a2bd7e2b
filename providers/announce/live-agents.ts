import type { LabelSelector } from '../../kube/objects.ts';

/** What the announce provider needs to know of the agents: who is alive, on which nodes. */
export interface LiveAgents {
  /** How many nodes with a live agent a selector chooses; without a selector, all. */
  count(selector: LabelSelector | undefined): number;
}
