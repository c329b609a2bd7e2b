import type { IpPermission } from '@aws-sdk/client-ec2';
import { isClass } from '../../../kube/errors.ts';
import type { SecurityGroupRule } from '../model.ts';
import { lacks, readSecurityGroup } from '../observe/read-answers.ts';
import type { ObservedSecurityGroup } from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';
import { syncBackendRules } from './apply-backend-rules.ts';
import { removeSharedGroup } from './backend-rules.ts';
import { createGroup, sharedGroupLock } from './shared-group.ts';
import type { ChangeOf, StackWriter } from './stack-writer.ts';

/** With its rules: a group without them would let nobody in. */
export async function createSecurityGroup(
  writer: StackWriter,
  { securityGroup: model, vpcId }: ChangeOf<'CreateSecurityGroup'>,
): Promise<void> {
  if (writer.stack.securityGroup === undefined) {
    const { description, name, tags } = model;
    const isIt = (found: Readonly<Record<string, string>>) => found[OWNER_TAGS.stack] === writer.name;
    const made = await createGroup(writer, { name, description, vpcId, tags: { ...tags } }, isIt);
    writer.wrote((stack) => {
      stack.securityGroup = made;
      stack.backendPorts ??= [];
    });
  }
  await authorize(writer, model.ingress);
}

export async function authorizeIngress(
  writer: StackWriter,
  { rules }: ChangeOf<'AuthorizeSecurityGroupIngress'>,
): Promise<void> {
  await authorize(writer, rules);
}

export async function revokeIngress(
  writer: StackWriter,
  { rules }: ChangeOf<'RevokeSecurityGroupIngress'>,
): Promise<void> {
  try {
    await revoke(writer, rules);
  } catch (error) {
    // One rule that is gone fails all of them.
    if (!isClass(error, 'NotFound')) throw error;
    await readGroup(writer);
    await revoke(writer, rules);
  }
}

/**
 * With the last managed group of a VPC goes the shared one, before it: then a try that is cut short is seen. One at a time, or
 * of the last two each would leave it to the other.
 */
export async function deleteSecurityGroup(writer: StackWriter): Promise<void> {
  const { context, inventory, stack } = writer;
  const group = stack.securityGroup;
  if (group === undefined) return;
  // After a restart it isn't known what nodes let in for it alone; what one group of nodes misses, another may have.
  if (stack.backendPorts === undefined || stack.backendPorts.length > 0)
    await syncBackendRules(writer, { call: 'SyncBackendRules', ports: [] });
  await inventory.locks.run(sharedGroupLock(group.vpcId), context.signal, async () => {
    await removeSharedGroup(writer, group.vpcId);
    try {
      await writer.call('DeleteSecurityGroup', { GroupId: group.id });
    } catch (error) {
      if (!isClass(error, 'NotFound')) throw error;
    }
    writer.wrote((each) => {
      each.securityGroup = undefined;
      each.backendPorts = undefined;
    });
  });
}

/** Under the group's lock: all that have it find the same, and the first of them does it. */
export async function closeSharedGroup(
  writer: StackWriter,
  { rules }: ChangeOf<'CloseSharedGroup'>,
): Promise<void> {
  const { context, inventory, provider, stack } = writer;
  const vpcId = stack.securityGroup?.vpcId;
  if (vpcId === undefined) return;
  await inventory.locks.run(sharedGroupLock(vpcId), context.signal, async () => {
    const shared = inventory.sharedGroupOf(provider, vpcId);
    const known = new Set(shared?.ingress.map(ruleKey));
    for (const rule of rules.filter((each) => known.has(ruleKey(each)))) {
      const IpPermissions = [writeRule({ ...rule, description: '' })];
      try {
        await writer.call('RevokeSecurityGroupIngress', { GroupId: shared?.id, IpPermissions });
      } catch (error) {
        if (!isClass(error, 'NotFound')) throw error;
      }
      const group = inventory.sharedGroupOf(provider, vpcId);
      if (group === undefined) return;
      const ingress = group.ingress.filter((each) => ruleKey(each) !== ruleKey(rule));
      inventory.addSharedGroup({ ...group, ingress });
    }
  });
}

async function authorize(writer: StackWriter, rules: readonly SecurityGroupRule[]): Promise<void> {
  try {
    await authorizeMissing(writer, rules);
  } catch (error) {
    // One rule that is there already fails all of them.
    if (!isClass(error, 'Conflict')) throw error;
    await readGroup(writer);
    await authorizeMissing(writer, rules);
  }
}

async function authorizeMissing(writer: StackWriter, rules: readonly SecurityGroupRule[]): Promise<void> {
  const { id, ingress } = writer.securityGroup();
  const known = new Set(ingress.map(ruleKey));
  const missing = rules.filter((rule) => !known.has(ruleKey(rule)));
  if (missing.length === 0) return;
  await writer.call('AuthorizeSecurityGroupIngress', { GroupId: id, IpPermissions: missing.map(writeRule) });
  remember(writer, (group) => {
    group.ingress = [...group.ingress, ...missing.map(({ description: _, ...rule }) => rule)];
  });
}

async function revoke(
  writer: StackWriter,
  rules: ChangeOf<'RevokeSecurityGroupIngress'>['rules'],
): Promise<void> {
  const { id, ingress } = writer.securityGroup();
  const known = new Set(ingress.map(ruleKey));
  const there = rules.filter((rule) => known.has(ruleKey(rule)));
  if (there.length === 0) return;
  const IpPermissions = there.map((rule) => writeRule({ ...rule, description: '' }));
  await writer.call('RevokeSecurityGroupIngress', { GroupId: id, IpPermissions });
  const gone = new Set(there.map(ruleKey));
  remember(writer, (group) => {
    group.ingress = group.ingress.filter((rule) => !gone.has(ruleKey(rule)));
  });
}

async function readGroup(writer: StackWriter): Promise<void> {
  const { id } = writer.securityGroup();
  const { SecurityGroups: [answer] = [] } = await writer.call('DescribeSecurityGroups', { GroupIds: [id] });
  if (answer === undefined) throw lacks(`security group ${id}`);
  remember(writer, (group) => {
    group.ingress = readSecurityGroup(answer).ingress;
  });
}

function remember(writer: StackWriter, change: (group: ObservedSecurityGroup) => void): void {
  writer.wrote(() => change(writer.securityGroup()));
}

function ruleKey({ cidr, fromPort, protocol, toPort }: ObservedSecurityGroup['ingress'][number]): string {
  return `${protocol} ${fromPort} ${toPort} ${cidr}`;
}

/** In the place of a CIDR may be what somebody else let in: a group or a prefix list. */
function writeRule({
  cidr,
  description,
  fromPort,
  protocol,
  toPort,
}: ChangeOf<'RevokeSecurityGroupIngress'>['rules'][number]): IpPermission {
  const Description = description === '' ? {} : { Description: description };
  return {
    IpProtocol: protocol,
    FromPort: fromPort,
    ToPort: toPort,
    ...(cidr.startsWith('sg-')
      ? { UserIdGroupPairs: [{ GroupId: cidr, ...Description }] }
      : cidr.startsWith('pl-')
        ? { PrefixListIds: [{ PrefixListId: cidr, ...Description }] }
        : cidr.includes(':')
          ? { Ipv6Ranges: [{ CidrIpv6: cidr, ...Description }] }
          : { IpRanges: [{ CidrIp: cidr, ...Description }] }),
  };
}
