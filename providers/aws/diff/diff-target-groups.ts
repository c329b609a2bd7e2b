import type { AwsChange } from '../changes.ts';
import { managedOfTargetGroup } from '../managed-attributes.ts';
import type { TargetGroupModel } from '../model.ts';
import type { ObservedTargetGroup } from '../observed.ts';
import { describeFields, diffEntries, diffField, isEmpty } from './diff-fields.ts';
import { diffTags } from './diff-tags.ts';

const resource = 'TargetGroup';

/** Makes the target group, or brings it to what it ought to be; its targets are another matter. */
export function diffTargetGroup(
  model: TargetGroupModel,
  found: ObservedTargetGroup | undefined,
  vpcId: string,
): AwsChange[] {
  const changes = found === undefined ? [create(model, vpcId)] : diffHealthCheck(model, found);
  const { entries, fields } = diffEntries(
    'attributes',
    found?.attributes ?? {},
    model.attributes,
    managedOfTargetGroup(model),
  );
  if (!isEmpty(entries)) {
    changes.push({
      action: 'Update',
      resource,
      summary: `Set of target group ${model.name}: ${describeFields(fields)}`,
      fields,
      call: 'ModifyTargetGroupAttributes',
      name: model.name,
      attributes: entries,
    });
  }
  if (found !== undefined)
    changes.push(...diffTags({ kind: resource, name: model.name }, found.tags, model.tags));
  return changes;
}

function create(model: TargetGroupModel, vpcId: string): AwsChange {
  const { name, port, protocol, targetType } = model;
  const summary = `Create target group ${name} for ${protocol} ${port} of ${targetType === 'ip' ? 'pods' : 'nodes'}`;
  const fields = diffField('name', undefined, name);
  return {
    action: 'Create',
    resource,
    summary,
    fields,
    call: 'CreateTargetGroup',
    targetGroup: model,
    vpcId,
  };
}

function diffHealthCheck(
  { healthCheck: model, name }: TargetGroupModel,
  found: ObservedTargetGroup,
): AwsChange[] {
  const actual = found.healthCheck;
  const fields = [
    ...diffField('healthCheck.protocol', actual.protocol, model.protocol),
    ...diffField('healthCheck.port', actual.port, model.port),
    ...(model.path === undefined ? [] : diffField('healthCheck.path', actual.path, model.path)),
    ...diffField('healthCheck.intervalSeconds', actual.intervalSeconds, model.intervalSeconds),
    ...diffField('healthCheck.timeoutSeconds', actual.timeoutSeconds, model.timeoutSeconds),
    ...diffField('healthCheck.healthyThreshold', actual.healthyThreshold, model.healthyThreshold),
    ...diffField('healthCheck.unhealthyThreshold', actual.unhealthyThreshold, model.unhealthyThreshold),
    ...(model.matcher === undefined
      ? []
      : diffField('healthCheck.successCodes', actual.matcher, model.matcher)),
  ];
  if (fields.length === 0) return [];
  const summary = `Change target group ${name}: ${describeFields(fields)}`;
  return [
    { action: 'Update', resource, summary, fields, call: 'ModifyTargetGroup', name, healthCheck: model },
  ];
}
