import { BlockList, isIP } from 'node:net';
import { AwsError } from '../aws-error.ts';
import type { Mend, MendContext } from '../mend.ts';
import { object, objects, optionalText, type PlainObject, text } from '../plain.ts';
import type { TargetGroupView } from '../view.ts';
import { findInstances, rangesOfVpc } from './network-facts.ts';

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html */
const MAX_TARGETS = 1_000;

/**
 * moto keeps one port of a target, takes instances that don't exist, and fails at those that aren't registered. In AWS a
 * target is its id and port, and taking away what isn't there succeeds. So targets are kept here, moto has none.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RegisterTargets.html
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html
 */
export const targets: Mend = {
  service: 'elasticloadbalancing',
  before: {
    async RegisterTargets(parameters, context) {
      const group = groupOf(parameters, context);
      const given = objects(parameters.Targets);
      if (given.length === 0) throw new AwsError('ValidationError', 'You must specify at least one target');
      const zones = await zonesOf(group, given, context);
      const added = given.filter((target) => !group.targets.has(keyOf(target, group)));
      if (group.targets.size + added.length > MAX_TARGETS) {
        throw new AwsError(
          'TooManyTargets',
          `You've reached the limit on the number of targets: ${MAX_TARGETS}`,
        );
      }
      for (const [index, target] of given.entries()) {
        const key = keyOf(target, group);
        const present = group.targets.get(key);
        if (present !== undefined && present.drainingSince === undefined) continue;
        group.targets.set(key, {
          id: text(target.Id),
          port: optionalText(target.Port) ?? group.port,
          zone: zones[index],
          registeredAt: context.now(),
          drainingSince: undefined,
        });
      }
      return {};
    },
    DeregisterTargets(parameters, context) {
      const group = groupOf(parameters, context);
      for (const given of objects(parameters.Targets)) {
        const all = optionalText(given.Port) === undefined;
        for (const target of group.targets.values()) {
          const meant = target.id === given.Id && (all || target.port === given.Port);
          if (meant) target.drainingSince ??= context.now();
        }
      }
      return {};
    },
  },
};

export function groupOf(parameters: PlainObject, { view }: MendContext): TargetGroupView {
  const arn = text(parameters.TargetGroupArn);
  const group = view.targetGroups.get(arn);
  if (group === undefined) throw new AwsError('TargetGroupNotFound', 'One or more target groups not found');
  return group;
}

export function keyOf(target: PlainObject, group: TargetGroupView): string {
  return `${text(target.Id)}:${optionalText(target.Port) ?? group.port}`;
}

/**
 * An address outside of the VPC's subnets needs a zone, one within can't have `all`; moto looks at neither.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
 */
async function checkZones(
  group: TargetGroupView,
  given: readonly PlainObject[],
  context: MendContext,
): Promise<void> {
  const subnets = new BlockList();
  for (const range of await rangesOfVpc(group.vpcId, context)) {
    const [address = '', length] = range.split('/');
    if (isIP(address) !== 0)
      subnets.addSubnet(address, Number(length), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  for (const target of given) {
    const id = text(target.Id);
    const zone = optionalText(target.AvailabilityZone);
    const isInside = subnets.check(id, isIP(id) === 6 ? 'ipv6' : 'ipv4');
    if (!isInside && zone === undefined) {
      const message = `The Availability Zone is required for IP address '${id}' because it is not in the VPC`;
      throw new AwsError('ValidationError', message);
    }
    if (isInside && zone === 'all') {
      const message = `The IP address '${id}' is within the VPC, and cannot have its Availability Zone overridden to 'all'`;
      throw new AwsError('ValidationError', message);
    }
  }
}

/** In the order of targets; throws for those that can't be in this group. */
async function zonesOf(
  group: TargetGroupView,
  given: readonly PlainObject[],
  context: MendContext,
): Promise<(string | undefined)[]> {
  const ids = given.map((target) => text(target.Id));
  if (group.targetType !== 'instance') {
    const wrong = ids.find((id) => !/^[\d.]+$|^[\da-fA-F:]+$/.test(id));
    if (group.targetType === 'ip') {
      if (wrong !== undefined)
        throw new AwsError('ValidationError', `The IP address '${wrong}' is not valid`);
      await checkZones(group, given, context);
    }
    return given.map((target) => optionalText(target.AvailabilityZone));
  }
  const wrong = ids.find((id) => !/^i-[0-9a-f]+$/.test(id));
  if (wrong !== undefined) throw new AwsError('ValidationError', `Instance ID '${wrong}' is not valid`);
  const instances = await findInstances(ids, context);
  const missing = ids.filter((id) => instances.get(id) === undefined);
  if (missing.length > 0) {
    throw new AwsError(
      'InvalidTarget',
      `The following targets are not in the target group VPC: '${missing.join("', '")}'`,
    );
  }
  const still = ids.filter((id) => text(object(instances.get(id)?.instanceState).name) !== 'running');
  if (still.length > 0) {
    const names = still.join("', '");
    throw new AwsError(
      'InvalidTarget',
      `The following targets are not in a running state and cannot be registered: '${names}'`,
    );
  }
  return ids.map((id) => text(object(instances.get(id)?.placement).availabilityZone));
}
