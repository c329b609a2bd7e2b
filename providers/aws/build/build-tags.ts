import { withRecord } from '../tag-record.ts';
import { OWNER_TAGS } from '../tags.ts';
import type { BuildInput, BuildMember } from './build-input.ts';

/** Tags of what belongs to the whole. */
export function buildStackTags(
  { desired, leader, members, stack }: BuildInput,
  resource: 'LoadBalancer' | 'SecurityGroup',
  variant?: string,
): Record<string, string> {
  return {
    ...withRecord(leader.options.tags),
    [OWNER_TAGS.cluster]: desired.id.clusterId,
    [OWNER_TAGS.stack]: stack,
    [OWNER_TAGS.resource]: resource,
    ...(variant === undefined ? {} : { [OWNER_TAGS.variant]: variant }),
    // Of several, whoever comes and goes leaves the tags as they are.
    ...(members.length > 1 || desired.sharedAddress !== undefined
      ? {}
      : { [OWNER_TAGS.member]: leader.name, [OWNER_TAGS.serviceUid]: leader.id.serviceUid }),
  };
}

/** Tags of what belongs to one of those that share the stack. */
export function buildMemberTags(
  { desired, stack }: BuildInput,
  member: BuildMember,
  key: string,
): Record<string, string> {
  return {
    ...withRecord(member.options.tags),
    [OWNER_TAGS.cluster]: desired.id.clusterId,
    [OWNER_TAGS.stack]: stack,
    [OWNER_TAGS.member]: member.name,
    [OWNER_TAGS.serviceUid]: member.id.serviceUid,
    [OWNER_TAGS.resource]: key,
  };
}
