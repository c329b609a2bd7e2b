import { toJson } from '../build/build-pool.ts';
import type { JsonObject } from '../json.ts';
import { membersOf, poolsOf } from '../members.ts';
import type { BigipModel, MemberGroup } from '../model.ts';

/** A target that gets no new connections any more, and goes at that time (ms since 1970). */
export interface Leaving {
  pool: string;
  member: string;
  until: number;
}

const DRAINING = /^draining until (\S+)$/;

/**
 * The application as it ought to be declared now: that of the model, and targets that it has no more, disabled until their
 * time is over. When that is stands on the device with them, so that it outlives the operator.
 */
export function planApplication(
  model: BigipModel,
  stored: JsonObject | undefined,
  now: number,
): { declaration: JsonObject; leaving: Leaving[] } {
  const leaving: Leaving[] = [];
  if (stored === undefined) return { declaration: model.declaration, leaving };
  const before = new Map(poolsOf(stored));
  const pools = poolsOf(model.declaration).flatMap(([name, pool]): [string, JsonObject][] => {
    const wanted = new Set(membersOf(pool).map((member) => member.name));
    const left: MemberGroup[] = [];
    for (const member of membersOf(before.get(name) ?? {})) {
      const until = untilWhen(member.remark, model.drainSeconds, now);
      if (wanted.has(member.name) || until <= now) continue;
      leaving.push({ pool: name, member: member.name, until });
      left.push({
        servicePort: member.port,
        serverAddresses: [member.address],
        ...(member.priority === 0 ? {} : { priorityGroup: member.priority }),
        // It stays the same node.
        ...(member.shareNodes ? { shareNodes: true } : {}),
        adminState: 'disable',
        remark: `draining until ${formatTime(until)}`,
      });
    }
    const members = Array.isArray(pool.members) ? pool.members : [];
    return left.length === 0 ? [] : [[name, { ...pool, members: [...members, ...left.map(toJson)] }]];
  });
  return { declaration: { ...model.declaration, ...Object.fromEntries(pools) }, leaving };
}

/** What somebody wrote there that is later than it may be doesn't count. */
function untilWhen(remark: string, drainSeconds: number, now: number): number {
  const latest = now + drainSeconds * 1000;
  const told = Date.parse(DRAINING.exec(remark)?.[1] ?? '');
  // Of the formatted time: what is read back is the same.
  const begun = Math.ceil(latest / 1000) * 1000;
  return Number.isNaN(told) || told > begun ? (drainSeconds === 0 ? now : begun) : told;
}

/** Whole seconds: no digits that change from one look to the next. */
function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
