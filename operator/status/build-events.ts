import { isDeepStrictEqual } from 'node:util';
import type { ConditionInput } from '../../kube/conditions.ts';
import type { Condition, LoadBalancerIngress } from '../../kube/objects.ts';
import { EVENTS, REASONS } from './reasons.ts';

/** An Event about to be emitted on a Service. */
export interface PlannedEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  note: string;
}

/** What a Service said, and what it says now. */
export interface Transition {
  before: { ingress: readonly LoadBalancerIngress[]; condition: Condition | undefined };
  after: { ingress: readonly LoadBalancerIngress[]; condition: ConditionInput };
  /** LoadBalancer objects that were made, and those whose spec was changed. */
  created: readonly string[];
  updated: readonly string[];
}

/** Told by no Warning: somebody wants it so. */
const BY_INTENTION: readonly string[] = [REASONS.paused, REASONS.deleting, REASONS.retiring];

/** The events of one turn: only what is new, so that a quiet cluster and a restart say nothing. */
export function buildEvents({ before, after, created, updated }: Transition): PlannedEvent[] {
  const events: PlannedEvent[] = [];
  if (created.length > 0) {
    events.push(normal(EVENTS.ensuring, `Ensuring load balancer ${created.join(', ')}`));
  }
  if (after.ingress.length > 0 && before.ingress.length === 0) {
    events.push(normal(EVENTS.ensured, `Ensured load balancer at ${textOf(after.ingress)}`));
  } else if (after.ingress.length > 0 && !isDeepStrictEqual(before.ingress, after.ingress)) {
    events.push(normal(EVENTS.updated, `Moved from ${textOf(before.ingress)} to ${textOf(after.ingress)}`));
  } else if (updated.length > 0) {
    events.push(normal(EVENTS.updated, `Updated load balancer ${updated.join(', ')}`));
  }
  const { reason, message } = after.condition;
  const same = before.condition?.reason === reason && before.condition.message === message;
  return same ? events : [...events, ...buildStandingEvents(after.condition, [])];
}

/** One Event for what is worth saying and holds nothing up, when it wasn't said before. */
export function buildNoteEvents(
  before: Condition | undefined,
  notes: readonly { reason: string; message: string }[],
): PlannedEvent[] {
  return notes
    .filter(({ message }) => before === undefined || !before.message.includes(message))
    .map(({ reason, message }) => ({
      type: BY_INTENTION.includes(reason) ? 'Normal' : 'Warning',
      reason,
      note: message,
    }));
}

/** Every Warning of what holds now, new or not. */
export function buildStandingEvents(
  { status, reason, message }: ConditionInput,
  notes: readonly { reason: string; message: string }[],
): PlannedEvent[] {
  const fails = status === 'False' && !BY_INTENTION.includes(reason);
  const failure: PlannedEvent = { type: 'Warning', reason: EVENTS.failed, note: `${reason}: ${message}` };
  const warnings = buildNoteEvents(undefined, notes).filter(({ type }) => type === 'Warning');
  return [...(fails ? [failure] : []), ...warnings];
}

function normal(reason: string, note: string): PlannedEvent {
  return { type: 'Normal', reason, note };
}

function textOf(ingress: readonly LoadBalancerIngress[]): string {
  return ingress.map(({ ip, hostname }) => ip ?? hostname).join(', ');
}
