import type { BigipConfig } from '../../../crds/bigip-provider.ts';
import type { JsonObject } from '../json.ts';
import type { MemberGroup } from '../model.ts';

/**
 * `slowRampTime` 0 and `serviceDownAction` none: a target that comes up gets its share at once, and connections to one that
 * goes down end by themselves.
 */
export function buildPool(
  members: readonly MemberGroup[],
  monitor: string,
  { balance, priorityGroups }: BigipConfig,
): JsonObject {
  return {
    class: 'Pool',
    loadBalancingMode: balance ?? 'round-robin',
    minimumMembersActive: priorityGroups?.minimumActive ?? 0,
    slowRampTime: 0,
    monitors: [{ use: monitor }],
    members: members.map(toJson),
  };
}

/** A MemberGroup is JSON by its fields; an interface has no index signature. */
export function toJson(group: MemberGroup): JsonObject {
  return { ...group };
}
