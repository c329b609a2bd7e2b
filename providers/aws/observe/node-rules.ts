import { portsKey } from '../apply/merge-ports.ts';
import type { SecurityGroupPorts } from '../model.ts';
import type { NodeRule } from '../observed.ts';
import type { Inventory } from './inventory.ts';
import type { KnownStack } from './known.ts';

/** What nodes let one shared group reach, as it was last read, or as our own writes left it. */
export interface NodeRules {
  /** Rules of ours, by the id of the nodes' group. */
  ranges: Map<string, SecurityGroupPorts[]>;
  /** Those among them that neither we wrote nor anybody needs. */
  strays: NodeRule[];
  /** Targets whose groups were asked for, and have the rules. */
  reached: Set<string>;
  /** By stack, ports that it needs and that some group of its targets didn't let in when we looked last. */
  missing: Map<string, SecurityGroupPorts[]>;
  /** By stack, why it can't be told which groups its targets have. */
  troubles: Map<string, string>;
}

export function noNodeRules(): NodeRules {
  return { ranges: new Map(), strays: [], reached: new Set(), missing: new Map(), troubles: new Map() };
}

/** What nodes let a stack reach, as far as it's known. */
export function portsLetIn(
  { backendPorts, name }: Pick<KnownStack, 'backendPorts' | 'name'>,
  rules: NodeRules | undefined,
): SecurityGroupPorts[] | undefined {
  const missing = new Set((rules?.missing.get(name) ?? []).map(portsKey));
  return missing.size === 0 ? backendPorts : backendPorts?.filter((each) => !missing.has(portsKey(each)));
}

/** Their groups have the rules; of those that EC2 didn't know when it was asked, nothing is known. */
export function noteReached(
  { groupsOfTargets }: Pick<Inventory, 'groupsOfTargets'>,
  rules: NodeRules,
  targets: readonly string[],
): void {
  for (const id of targets) if (groupsOfTargets.has(id)) rules.reached.add(id);
}
