import type { NodeForwarderStatus } from '../../crds/node-forwarder.ts';
import { setCondition } from '../../kube/conditions.ts';
import type { Condition } from '../../kube/objects.ts';
import type { AnnounceProblem } from '../announce/announcer.ts';
import type { Conflict } from '../nftables/rule-book.ts';
import { MOST_REMEMBERED } from '../nftables/table-options.ts';
import type { ServeMode } from '../node-context.ts';
import type { SysctlProblem } from '../sysctls/set-sysctls.ts';

export interface ForwarderFacts {
  version: string;
  mode: ServeMode;
  generation: number;
  services: number;
  endpoints: number;
  elements: number;
  announced: readonly string[];
  /** Addresses that no node answers for, as this node sees it. */
  unowned: readonly AnnounceProblem[];
  /** All lists are in, and the kernel took what follows from them. */
  programmed: boolean;
  /** Why nothing can be applied; null when it can. */
  failure: string | null;
  /** Services left out, with the reason. */
  leftOut: ReadonlyMap<string, string>;
  conflicts: readonly Conflict[];
  /** Connections lately whose client wasn't remembered, though its Service asks for it. */
  overflow: number;
  /** Why nft was given its last long input through a pipe; null: it was given a file. */
  unstaged: string | null;
  /** Ports of Services that can't be listened at, with the reason. */
  closedPorts: readonly string[];
  /** Why stale flows stay in connection tracking; null: they don't. */
  staleFlows: string | null;
  /** Settings of connection tracking that the kernel doesn't let the agent set. */
  unsetSysctls: readonly SysctlProblem[];
}

/** More names would make the object grow with the cluster. */
const MOST_NAMED = 10;
const LONGEST_REASON = 300;
const MOST_ANNOUNCED = 1024;

/** The report of a node; `previous` keeps the times of conditions that didn't change. `now` is RFC 3339. */
export function buildStatus(
  facts: ForwarderFacts,
  previous: readonly Condition[],
  now: string,
): NodeForwarderStatus & { conditions: Condition[] } {
  let conditions: Condition[] = [...previous];
  for (const condition of buildConditions(facts)) conditions = setCondition(conditions, condition, now);
  return {
    version: facts.version,
    mode: facts.mode,
    generation: facts.generation,
    services: facts.services,
    endpoints: facts.endpoints,
    elements: facts.elements,
    announced: facts.announced.slice(0, MOST_ANNOUNCED),
    announcedCount: facts.announced.length,
    conditions,
  };
}

function buildConditions(facts: ForwarderFacts): Omit<Condition, 'lastTransitionTime'>[] {
  const programmed = decideProgrammed(facts);
  const ready = { ...programmed, type: 'Ready' };
  return [
    ready,
    programmed,
    describeLeftOut(facts.leftOut),
    describeConflicts(facts.conflicts),
    describeUnowned(facts.unowned),
    describePorts(facts.closedPorts),
    describeAffinity(facts.overflow),
    describeStaging(facts.unstaged),
    describeConntrack(facts),
  ];
}

function decideProgrammed(facts: ForwarderFacts) {
  const type = 'Programmed';
  if (facts.failure !== null) {
    return { type, status: 'False' as const, reason: 'ApplyFailed', message: facts.failure };
  }
  return facts.programmed
    ? {
        type,
        status: 'True' as const,
        reason: 'Programmed',
        message: 'The kernel forwards what the cluster says.',
      }
    : { type, status: 'False' as const, reason: 'Starting', message: 'Not everything has been listed yet.' };
}

function describeLeftOut(leftOut: ReadonlyMap<string, string>) {
  const type = 'ServicesComplete';
  if (leftOut.size === 0) {
    return { type, status: 'True' as const, reason: 'Complete', message: 'No Service is left out.' };
  }
  const named = [...leftOut].sort().map(([key, reason]) => `${key}: ${reason.slice(0, LONGEST_REASON)}`);
  return {
    type,
    status: 'False' as const,
    reason: 'ServicesLeftOut',
    message: `${leftOut.size} left out: ${nameSome(named)}`,
  };
}

function describeConflicts(conflicts: readonly Conflict[]) {
  const type = 'FrontendsUnique';
  if (conflicts.length === 0) {
    return {
      type,
      status: 'True' as const,
      reason: 'Unique',
      message: 'No two Services claim one address and port.',
    };
  }
  const named = conflicts.map(
    ({ id, winner, losers }) => `${id} is of ${winner}, not of ${nameSome(losers, ', ')}`,
  );
  return {
    type,
    status: 'False' as const,
    reason: 'ClaimedTwice',
    message: `${conflicts.length} claimed by several Services; the oldest has each: ${nameSome(named)}`,
  };
}

function describeUnowned(unowned: readonly AnnounceProblem[]) {
  const type = 'AddressesOwned';
  const [first] = unowned;
  if (first === undefined) {
    return { type, status: 'True' as const, reason: 'Owned', message: 'Each address has a node for it.' };
  }
  const named = unowned.map(
    ({ address, reason, loadBalancers }) => `${address} of ${loadBalancers.join(', ')}: ${reason}`,
  );
  return {
    type,
    status: 'False' as const,
    reason: first.reason,
    message: `${unowned.length} that no node can answer for: ${nameSome(named)}`,
  };
}

function describePorts(closed: readonly string[]) {
  const type = 'PortsOpen';
  if (closed.length === 0) {
    const message = 'Health checks of Services are answered where they should be.';
    return { type, status: 'True' as const, reason: 'Open', message };
  }
  const named = closed.map((each) => each.slice(0, LONGEST_REASON)).sort();
  return {
    type,
    status: 'False' as const,
    reason: 'ListenFailed',
    message: `${closed.length} that can't be listened at: ${nameSome(named)}`,
  };
}

function describeConntrack({ staleFlows, unsetSysctls }: ForwarderFacts) {
  const type = 'ConntrackTended';
  if (staleFlows !== null) {
    return { type, status: 'False' as const, reason: 'StaleFlowsStay', message: staleFlows };
  }
  if (unsetSysctls.length > 0) {
    const named = unsetSysctls.map(({ path, value, reason }) => `${path} to ${value} (${reason})`);
    const message = `The kernel doesn't let the agent set ${nameSome(named)}: have the node set it.`;
    return { type, status: 'False' as const, reason: 'SysctlsNotSet', message };
  }
  const message = 'Stale flows go, and its settings are as they should be.';
  return { type, status: 'True' as const, reason: 'Tended', message };
}

function describeAffinity(overflow: number) {
  const type = 'AffinityKept';
  if (overflow === 0) {
    return { type, status: 'True' as const, reason: 'Kept', message: 'There is room for all clients.' };
  }
  return {
    type,
    status: 'False' as const,
    reason: 'AffinityFull',
    message: `More than ${MOST_REMEMBERED} clients of Services with session affinity: not all come back to their endpoint.`,
  };
}

function describeStaging(unstaged: string | null) {
  const type = 'KillSafe';
  if (unstaged === null) {
    const message = 'A kill at any moment leaves whole rules, the old or the new ones.';
    return { type, status: 'True' as const, reason: 'InputStaged', message };
  }
  return {
    type,
    status: 'False' as const,
    reason: 'InputNotStaged',
    message: `A kill while nft reads may leave half of the rules: ${unstaged.slice(0, LONGEST_REASON)}`,
  };
}

function nameSome(names: readonly string[], separator = '; '): string {
  const more = names.length - MOST_NAMED;
  return [...names.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join(separator);
}
