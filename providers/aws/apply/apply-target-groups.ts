import type { CreateTargetGroupCommandInput, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import { isClass } from '../../../kube/errors.ts';
import type { HealthCheckModel } from '../model.ts';
import type { KnownTargetGroup } from '../observe/known.ts';
import { lacks, readHealthCheck, readTargetGroup, writeTags } from '../observe/read-answers.ts';
import { readTargetGroupDetails } from '../observe/read-details.ts';
import { readTagsOf } from '../observe/read-tags.ts';
import type { ChangeOf, StackWriter } from './stack-writer.ts';

/** The name says all that can't be changed, so that doing it twice makes one. */
export async function createTargetGroup(
  writer: StackWriter,
  { targetGroup: model, vpcId }: ChangeOf<'CreateTargetGroup'>,
): Promise<void> {
  if (writer.findTargetGroup(model.name) !== undefined) return;
  const input: CreateTargetGroupCommandInput = {
    Name: model.name,
    Protocol: model.protocol,
    Port: model.port,
    VpcId: vpcId,
    TargetType: model.targetType,
    IpAddressType: model.ipAddressType,
    HealthCheckEnabled: true,
    ...writeHealthCheck(model.healthCheck),
    Tags: writeTags(model.tags),
  };
  try {
    const { TargetGroups: [answer] = [] } = await writer.call('CreateTargetGroup', input);
    if (answer === undefined) throw lacks('the target group that was made');
    remember(writer, { ...readTargetGroup(answer, { ...model.tags }), attributes: {}, targets: [] });
  } catch (error) {
    if (!isClass(error, 'Conflict')) throw error;
    await takeExisting(writer, model.name);
  }
}

/** An earlier try made it, and its settings were changed since. */
async function takeExisting(writer: StackWriter, name: string): Promise<void> {
  const { TargetGroups: [answer] = [] } = await writer.call('DescribeTargetGroups', { Names: [name] });
  if (answer?.TargetGroupArn === undefined) throw lacks(`target group ${name}`);
  const arn = answer.TargetGroupArn;
  const tags = (await readTagsOf(writer.inventory.calls, [arn], writer.context)).get(arn) ?? {};
  writer.checkOurs(`a target group ${name}`, tags);
  const group = readTargetGroup(answer, tags);
  const details = await readTargetGroupDetails(writer.inventory.calls, group, writer.context);
  remember(writer, { ...group, ...details });
}

function remember(writer: StackWriter, group: KnownTargetGroup): void {
  writer.wrote((stack) => {
    stack.targetGroups = [...stack.targetGroups.filter(({ arn }) => arn !== group.arn), group];
  });
}

export async function modifyTargetGroup(
  writer: StackWriter,
  { name, healthCheck }: ChangeOf<'ModifyTargetGroup'>,
): Promise<void> {
  const { arn } = writer.targetGroup(name);
  const input = { TargetGroupArn: arn, ...writeHealthCheck(healthCheck) };
  const { TargetGroups: [answer] = [] } = await writer.call('ModifyTargetGroup', input);
  writer.wrote(() => {
    const group = writer.targetGroup(name);
    group.healthCheck = answerOr(answer, healthCheck);
    if ((group.targets ?? []).length > 0) group.waits = true;
    group.look.restart(writer.inventory.firstLookSeconds);
  });
}

export async function modifyTargetGroupAttributes(
  writer: StackWriter,
  { name, attributes }: ChangeOf<'ModifyTargetGroupAttributes'>,
): Promise<void> {
  const { arn } = writer.targetGroup(name);
  await writer.call('ModifyTargetGroupAttributes', {
    TargetGroupArn: arn,
    Attributes: writeTags(attributes),
  });
  writer.wrote(() => {
    const group = writer.targetGroup(name);
    group.attributes = { ...group.attributes, ...attributes };
  });
}

/** ResourceInUse, while its load balancer goes, is the caller's to come again for. */
export async function deleteTargetGroup(
  writer: StackWriter,
  { name }: ChangeOf<'DeleteTargetGroup'>,
): Promise<void> {
  const group = writer.findTargetGroup(name);
  if (group === undefined) return;
  try {
    await writer.call('DeleteTargetGroup', { TargetGroupArn: group.arn });
  } catch (error) {
    if (!isClass(error, 'NotFound')) throw error;
  }
  writer.wrote((stack) => {
    stack.targetGroups = stack.targetGroups.filter(({ arn }) => arn !== group.arn);
  });
}

function writeHealthCheck(check: HealthCheckModel) {
  return {
    HealthCheckProtocol: check.protocol,
    HealthCheckPort: check.port,
    HealthCheckIntervalSeconds: check.intervalSeconds,
    HealthCheckTimeoutSeconds: check.timeoutSeconds,
    HealthyThresholdCount: check.healthyThreshold,
    UnhealthyThresholdCount: check.unhealthyThreshold,
    ...(check.path === undefined ? {} : { HealthCheckPath: check.path }),
    ...(check.matcher === undefined ? {} : { Matcher: { HttpCode: check.matcher } }),
  };
}

/** What AWS made of it, where it says so. */
function answerOr(
  answer: TargetGroup | undefined,
  written: HealthCheckModel,
): KnownTargetGroup['healthCheck'] {
  return answer?.HealthCheckProtocol === undefined ? { ...written } : readHealthCheck(answer);
}
