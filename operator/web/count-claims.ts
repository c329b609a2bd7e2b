import type { LoadBalancer } from '../../crds/load-balancer.ts';
import { findCondition } from '../../kube/conditions.ts';
import type { StoreChange } from '../../kube/store.ts';
import type { OperatorMetrics } from './metrics.ts';

/** Counts what a LoadBalancer claims now and didn't before, and what it is refused now for a reason that is new. */
export function countClaims(metrics: OperatorMetrics, change: StoreChange<LoadBalancer>): void {
  if (change.type === 'Deleted') return;
  const { object, previous } = change;
  const before = new Set((previous?.spec.addresses ?? []).map(({ address }) => address));
  for (const { address, pool } of object.spec.addresses ?? []) {
    if (!before.has(address)) metrics.countAllocation('address', pool);
  }
  for (const kind of ['nodePort', 'forwardingPort'] as const) {
    const held = new Set((previous?.spec.frontends ?? []).map((one) => `${one.protocol}/${one[kind]}`));
    for (const frontend of object.spec.frontends ?? []) {
      const { protocol, portPool, [kind]: number } = frontend;
      if (number !== undefined && portPool !== undefined && !held.has(`${protocol}/${number}`)) {
        metrics.countAllocation(kind, portPool);
      }
    }
  }
  for (const [type, resource] of [
    ['AddressClaimed', 'address'],
    ['PortsClaimed', 'port'],
  ] as const) {
    const reason = refusalOf(object, type);
    if (reason !== undefined && reason !== refusalOf(previous, type)) metrics.countRefusal(resource, reason);
  }
}

function refusalOf(loadBalancer: LoadBalancer | undefined, type: string): string | undefined {
  const condition = findCondition(loadBalancer?.status?.conditions ?? [], type);
  return condition?.status === 'False' ? condition.reason : undefined;
}
