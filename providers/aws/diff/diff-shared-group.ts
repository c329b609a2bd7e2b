import type { AwsChange } from '../changes.ts';
import type { AwsModel, SecurityGroupPorts } from '../model.ts';
import type { AwsObserved, ObservedSecurityGroup } from '../observed.ts';
import { describePorts, describeRule } from './describe-rules.ts';
import { diffField } from './diff-fields.ts';

/** Whom somebody let in by the group that all load balancers of the provider have. */
export function closeSharedGroup({ sharedGroup }: AwsObserved): AwsChange[] {
  const rules: ObservedSecurityGroup['ingress'] = sharedGroup?.ingress ?? [];
  if (rules.length === 0) return [];
  const summary = `Let no longer in by the shared group ${rules.map(describeRule).join(', ')}`;
  const fields = rules.flatMap((rule) => diffField('shared.ingress', describeRule(rule), undefined));
  return [{ action: 'Update', resource: 'SecurityGroup', summary, fields, call: 'CloseSharedGroup', rules }];
}

/** Rules of nodes that have to be looked at, though the ports are what they were. */
export function diffNodes(
  { targetGroups }: AwsModel,
  { sharedGroup, targetGroups: found }: AwsObserved,
  ports: readonly SecurityGroupPorts[],
): AwsChange[] {
  if (ports.length === 0 || sharedGroup === undefined) return [];
  const { joined, reached, strays, trouble } = sharedGroup;
  const fields = [
    ...strays.flatMap(({ groupId, ...range }) =>
      diffField(`nodes.${groupId}.ingress`, describePorts([range]), undefined),
    ),
    ...diffField('nodes', trouble, trouble === undefined ? undefined : 'a group that gets the rules'),
  ];
  // One that AWS refuses is none.
  const isThere = (name: string, id: string) =>
    found.some(
      ({ name: each, refused = [], targets }) =>
        each === name && [...targets, ...refused].some((target) => target.id === id),
    );
  // One that is there since a turn that didn't get as far as its rules is new still.
  const isNew = targetGroups.some(({ name, targets }) =>
    targets.some(({ id }) => reached?.has(id) !== true && (joined?.has(id) === true || !isThere(name, id))),
  );
  if (fields.length === 0 && !isNew) return [];
  const summary = isNew
    ? `New nodes let the load balancer reach ${describePorts(ports)}`
    : `Nodes let the load balancer reach ${describePorts(ports)} and nothing else`;
  const call = { call: 'SyncBackendRules' as const, ports: [...ports] };
  const resource = 'SecurityGroupRule';
  return [{ action: 'Update', resource, summary, ...(fields.length === 0 ? {} : { fields }), ...call }];
}
