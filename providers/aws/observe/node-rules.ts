import type { SecurityGroupPorts } from '../model.ts';
import type { NodeRule } from '../observed.ts';
import type { Inventory } from './inventory.ts';

/** What nodes let one shared group reach, as it was last read, or as our own writes left it. */
export interface NodeRules {
  /** Rules of ours, by the id of the nodes' group. */
  ranges: Map<string, SecurityGroupPorts[]>;
  /** Those among them that neither we wrote nor anybody needs. */
  strays: NodeRule[];
  /** Targets whose groups were asked for, and have the rules. */
  reached: Set<string>;
  /** By stack, why it can't be told which groups its targets have. */
  troubles: Map<string, string>;
}

export function noNodeRules(): NodeRules {
  return { ranges: new Map(), strays: [], reached: new Set(), troubles: new Map() };
}

/** Their groups have the rules; of those that EC2 didn't know when it was asked, nothing is known. */
export function noteReached(
  { groupsOfTargets }: Pick<Inventory, 'groupsOfTargets'>,
  rules: NodeRules,
  targets: readonly string[],
): void {
  for (const id of targets) if (groupsOfTargets.has(id)) rules.reached.add(id);
}
