import type { Mend, MendContext } from '../mend.ts';
import { object, objects, type PlainObject, text } from '../plain.ts';
import type { TargetGroupView, TargetView } from '../view.ts';
import { findInstances } from './network-facts.ts';
import { groupOf, keyOf } from './targets.ts';

const DEFAULT_DELAY_SECONDS = 300;
const STOPPED = state('unused', 'Target.InvalidState', 'Target is in the stopped state');

/**
 * moto's targets are healthy at once and vanish at once. AWS: `initial` for a while, `unused` without a listener, stopped or in a
 * zone that the load balancer isn't in, and `draining` for the deregistration delay.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
 */
export const targetHealth: Mend = {
  service: 'elasticloadbalancing',
  before: {
    async DescribeTargetHealth(parameters, context) {
      const group = groupOf(parameters, context);
      forgetDrained(group, context);
      const stopped = await lookAtInstances(group, context);
      const asked = objects(parameters.Targets);
      const targets =
        asked.length > 0
          ? asked.map((target) => group.targets.get(keyOf(target, group)) ?? target)
          : [...group.targets.values()];
      return {
        TargetHealthDescriptions: targets.map((target) =>
          isTarget(target)
            ? describe(target, stopped.has(target.id) ? STOPPED : healthOf(target, group, context))
            : notRegistered(target, group),
        ),
      };
    },
  },
};

function isTarget(target: TargetView | PlainObject): target is TargetView {
  return 'registeredAt' in target;
}

function forgetDrained(group: TargetGroupView, { times, now }: MendContext): void {
  const seconds = Number(group.attributes['deregistration_delay.timeout_seconds'] ?? DEFAULT_DELAY_SECONDS);
  const delayMs = seconds * 1000 * times.drainScale;
  for (const [key, { drainingSince }] of group.targets) {
    if (drainingSince !== undefined && now() - drainingSince >= delayMs) group.targets.delete(key);
  }
}

/** Ids of those that don't run; targets whose instance was terminated are no longer registered. */
async function lookAtInstances(group: TargetGroupView, context: MendContext): Promise<Set<string>> {
  if (group.targetType !== 'instance') return new Set();
  const ids = [...group.targets.values()].map(({ id }) => id);
  const instances = await findInstances(ids, context);
  const stateOf = (id: string) => text(object(instances.get(id)?.instanceState).name) || 'terminated';
  for (const [key, { id }] of group.targets) if (stateOf(id) === 'terminated') group.targets.delete(key);
  return new Set(ids.filter((id) => stateOf(id) !== 'running'));
}

function describe(target: TargetView, TargetHealth: PlainObject): PlainObject {
  const { id, port, zone } = target;
  return {
    Target: { Id: id, Port: port, ...(zone !== undefined && { AvailabilityZone: zone }) },
    HealthCheckPort: port,
    TargetHealth,
  };
}

function healthOf(target: TargetView, group: TargetGroupView, context: MendContext): PlainObject {
  const { view, times, health, now } = context;
  if (target.drainingSince !== undefined) {
    return state('draining', 'Target.DeregistrationInProgress', 'Target deregistration is in progress');
  }
  const loadBalancers = view.loadBalancersOf(group.arn).map((arn) => view.loadBalancers.get(arn));
  if (loadBalancers.length === 0) {
    return state(
      'unused',
      'Target.NotInUse',
      'Target group is not configured to receive traffic from the load balancer',
    );
  }
  const zones = loadBalancers.flatMap((loadBalancer) => loadBalancer?.subnets.map(({ zone }) => zone) ?? []);
  if (target.zone !== undefined && target.zone !== 'all' && !zones.includes(target.zone)) {
    return state(
      'unused',
      'Target.NotInUse',
      'Target is in an Availability Zone that is not enabled for the load balancer',
    );
  }
  if (now() - target.registeredAt < times.initialMs) {
    return state('initial', 'Elb.RegistrationInProgress', 'Target registration is in progress');
  }
  const said = health.get(`${target.id}:${target.port}`) ?? health.get(target.id) ?? 'healthy';
  return said === 'healthy'
    ? { State: 'healthy' }
    : state('unhealthy', 'Target.FailedHealthChecks', 'Health checks failed');
}

function notRegistered(target: PlainObject, group: TargetGroupView): PlainObject {
  return {
    Target: { Id: target.Id, Port: target.Port ?? group.port },
    HealthCheckPort: target.Port ?? group.port,
    TargetHealth: state('unused', 'Target.NotRegistered', 'Target is not registered to the target group'),
  };
}

function state(State: string, Reason: string, Description: string): PlainObject {
  return { State, Reason, Description };
}
