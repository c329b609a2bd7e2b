import type { SecurityGroupPorts } from '../model.ts';
import type { NodeRule } from '../observed.ts';

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
