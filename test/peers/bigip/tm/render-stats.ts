import { tilded } from '../configuration.ts';
import type { Member } from '../members.ts';
import { type PlainObject, text } from '../plain.ts';
import { type HealthOf, kindName, linkTo } from './render-object.ts';

const MEMBER_STATS = 'tm:ltm:pool:members:membersstats';

export interface Status {
  availability: 'available' | 'offline' | 'unknown';
  enabled: boolean;
  reason: string;
}

/** Of a member: what its monitors found, and what somebody set. */
export function memberStatus(pool: PlainObject, member: Member, healthOf: HealthOf): Status {
  const enabled = member.session !== 'user-disabled' && member.state !== 'user-down';
  if (member.state === 'user-down') return { availability: 'offline', enabled, reason: 'Forced down' };
  const monitor = [pool.monitor, member.monitor].map(text).find((rule) => rule !== '' && rule !== 'default');
  if (monitor === undefined) {
    return { availability: 'unknown', enabled, reason: 'Pool member does not have service checking enabled' };
  }
  if (healthOf(member).up === false) {
    return { availability: 'offline', enabled, reason: 'Pool member has been marked down by a monitor' };
  }
  return { availability: 'available', enabled, reason: 'Pool member is available' };
}

/** A pool is as good as its best member. */
export function poolStatus(pool: PlainObject, members: readonly Member[], healthOf: HealthOf): Status {
  const states = members.map((member) => memberStatus(pool, member, healthOf));
  const has = (availability: Status['availability']) =>
    states.some((state) => state.availability === availability);
  if (states.length === 0) {
    return { availability: 'unknown', enabled: true, reason: 'The pool has no members' };
  }
  if (has('available')) return { availability: 'available', enabled: true, reason: 'The pool is available' };
  return has('unknown')
    ? { availability: 'unknown', enabled: true, reason: 'Service checks are not enabled' }
    : { availability: 'offline', enabled: true, reason: 'The children pool member(s) are down' };
}

export function memberStats(pool: string, properties: PlainObject, member: Member, healthOf: HealthOf) {
  const status = memberStatus(properties, member, healthOf);
  const { availability } = status;
  const monitorStatus =
    member.state === 'user-down'
      ? 'forced-down'
      : { available: 'up', offline: 'down', unknown: 'unchecked' }[availability];
  return {
    addr: { description: member.address },
    port: { value: member.port },
    nodeName: { description: member.path.slice(0, member.path.length - `:${member.port}`.length) },
    poolName: { description: pool },
    monitorStatus: { description: monitorStatus },
    sessionStatus: { description: member.session === 'user-disabled' ? 'user-disabled' : 'enabled' },
    'serverside.curConns': { value: healthOf(member).connections ?? 0 },
    ...renderStatus(status),
  };
}

export function renderStatus({ availability, enabled, reason }: Status): PlainObject {
  return {
    'status.availabilityState': { description: availability },
    'status.enabledState': { description: enabled ? 'enabled' : 'disabled' },
    'status.statusReason': { description: reason },
  };
}

/** The nesting that iControl REST has for statistics. */
export function nestStats(
  kind: string,
  link: string,
  stats: readonly { path: string; below: string; entries: PlainObject }[],
) {
  const nested = stats.map(({ path, below, entries }) => {
    const selfLink = linkTo(kind, path, `${below}/stats`);
    return [
      selfLink.split('?')[0],
      { nestedStats: { kind: below === '' ? kindName(kind, 'stats') : MEMBER_STATS, selfLink, entries } },
    ];
  });
  return {
    kind: kindName(kind, 'stats'),
    generation: 1,
    selfLink: link,
    entries: Object.fromEntries(nested),
  };
}

export function belowMember(member: Member): string {
  return `/members/${tilded(member.path)}`;
}
