import type { AddressPool, AddressPoolStatus } from '../../crds/address-pool.ts';
import type { PortPool, PortPoolStatus } from '../../crds/port-pool.ts';
import { setCondition } from '../../kube/conditions.ts';
import type { Condition, KubeObject } from '../../kube/objects.ts';
import type { Finding } from '../../providers/provider.ts';
import type { PortKind } from '../allocate/port-book.ts';
import { REASONS } from '../status/reasons.ts';
import type { ReconcileContext } from './context.ts';

interface WithConditions extends KubeObject {
  status?: { conditions?: Condition[] | undefined };
}

/** How full an AddressPool is, by the book of claims, and whether it gives anything out. */
export function buildAddressPoolStatus(
  { compiled, claims }: ReconcileContext,
  pool: AddressPool,
  now: string,
): AddressPoolStatus {
  const found = compiled.addressPools.find(({ name }) => name === pool.metadata.name);
  const ranges = found === undefined ? [] : [...found.ranges.IPv4, ...found.ranges.IPv6];
  const total = found === undefined ? 0n : found.total.IPv4 + found.total.IPv6;
  const used = claims.addresses.countUsed(ranges);
  const empty = pool.spec.disabled === true ? DISABLED : used >= total ? EXHAUSTED : undefined;
  return {
    ...generationOf(pool),
    total: `${total}`,
    used: `${used}`,
    free: `${total - used}`,
    conditions: buildConditions(pool, found?.findings ?? [], empty, now),
  };
}

/** The same for a PortPool; of forwarding ports a number counts as used when any protocol has it. */
export function buildPortPoolStatus(
  { compiled, claims }: ReconcileContext,
  pool: PortPool,
  now: string,
): PortPoolStatus {
  const found = compiled.portPools.find(({ name }) => name === pool.metadata.name);
  const counts = (kind: PortKind) => {
    const total = found?.total[kind] ?? 0;
    const used = found === undefined ? 0 : claims.ports.countUsed(kind, found.ranges[kind]);
    return { total, used, free: total - used };
  };
  const nodePorts = counts('nodePort');
  const forwardingPorts = counts('forwardingPort');
  const exhausted = nodePorts.free + forwardingPorts.free === 0;
  const empty = pool.spec.disabled === true ? DISABLED : exhausted ? EXHAUSTED : undefined;
  return {
    ...generationOf(pool),
    nodePorts,
    forwardingPorts,
    conditions: buildConditions(pool, found?.findings ?? [], empty, now),
  };
}

/** `Accepted`: its ranges can be read. `Ready`: there is something to give out. */
function buildConditions(
  object: WithConditions,
  findings: readonly Finding[],
  empty: Finding | undefined,
  now: string,
): Condition[] {
  const [first] = findings;
  const at = generationOf(object);
  const own = (object.status?.conditions ?? []).filter(({ type }) => type === 'Accepted' || type === 'Ready');
  const accepted = setCondition(
    own,
    {
      type: 'Accepted',
      status: first === undefined ? 'True' : 'False',
      reason: first?.reason ?? REASONS.accepted,
      message: findings.map(({ message }) => message).join(' ') || 'Every range is understood.',
      ...at,
    },
    now,
  );
  const ready = { reason: REASONS.ready, message: 'It has something to give out.' };
  return setCondition(
    accepted,
    { type: 'Ready', status: empty === undefined ? 'True' : 'False', ...(empty ?? ready), ...at },
    now,
  );
}

function generationOf({ metadata }: KubeObject): { observedGeneration?: number } {
  return metadata.generation === undefined ? {} : { observedGeneration: metadata.generation };
}

const DISABLED: Finding = {
  reason: 'Disabled',
  message: 'It is disabled: what is claimed stays, and nothing new is given out.',
};
const EXHAUSTED: Finding = { reason: 'Exhausted', message: 'Everything in it is in use: add to it.' };
