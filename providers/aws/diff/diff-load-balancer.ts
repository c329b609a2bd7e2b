import type { AwsChange } from '../changes.ts';
import { managedOfLoadBalancer } from '../managed-attributes.ts';
import type { AwsModel, LoadBalancerModel, SubnetMappingModel } from '../model.ts';
import type { AwsObserved, ObservedLoadBalancer } from '../observed.ts';
import { OWNER_TAGS } from '../tags.ts';
import { describeFields, diffEntries, diffField, isEmpty } from './diff-fields.ts';
import { diffSubnets, type SubnetsDiff } from './diff-subnets.ts';
import { diffTags } from './diff-tags.ts';

const resource = 'LoadBalancer';

/** Makes the load balancer. */
export function createLoadBalancer(model: AwsModel, mappings: SubnetMappingModel[]): AwsChange[] {
  const { loadBalancer } = model;
  const where = mappings.map(({ subnet }) => subnet).join(', ');
  const summary = `Create ${loadBalancer.scheme} load balancer ${loadBalancer.name} in ${where}`;
  const withManagedSecurityGroup = model.securityGroup !== undefined;
  const call = { call: 'CreateLoadBalancer' as const, loadBalancer, mappings, withManagedSecurityGroup };
  return [
    { action: 'Create', resource, summary, fields: diffField('name', undefined, loadBalancer.name), ...call },
    ...diffAttributes(loadBalancer, { attributes: {}, tags: {} }),
  ];
}

/** Brings one that is there to what it ought to be, as far as AWS lets it be changed. */
export function diffLoadBalancer(
  model: AwsModel,
  found: ObservedLoadBalancer,
  observed: AwsObserved,
): SubnetsDiff {
  const { loadBalancer } = model;
  const { changes, ...rest } = diffSubnets(loadBalancer, found, observed.network);
  return {
    changes: [
      ...diffTags({ kind: resource, name: found.name }, found.tags, loadBalancer.tags),
      ...changes,
      ...diffSecurityGroups(model, found, observed),
      ...diffAttributes(loadBalancer, found),
    ],
    ...rest,
  };
}

function diffSecurityGroups(
  { loadBalancer, securityGroup }: AwsModel,
  found: ObservedLoadBalancer,
  observed: AwsObserved,
): AwsChange[] {
  const adopted = isAdopted(found);
  // AWS never gives any to one that was made without.
  if (adopted && found.securityGroups.length === 0) return [];
  // One that is adopted keeps what it has, unless people say otherwise.
  const given =
    adopted && loadBalancer.securityGroups.length === 0
      ? found.securityGroups.filter((id) => id !== observed.securityGroup?.id)
      : loadBalancer.securityGroups;
  const managed = securityGroup === undefined ? undefined : observed.securityGroup?.id;
  // One that is made by this very plan has no id yet: the next turn attaches it.
  if (securityGroup !== undefined && managed === undefined) return [];
  const wanted = [...given, ...(managed === undefined ? [] : [managed])].sort().join(', ');
  const actual = [...found.securityGroups].sort().join(', ');
  const fields = diffField('securityGroups', actual || undefined, wanted || undefined);
  if (fields.length === 0) return [];
  const { name } = found;
  const summary = `Change load balancer ${name}: ${describeFields(fields)}`;
  const call = { call: 'SetSecurityGroups' as const, name, securityGroups: given };
  return [
    { action: 'Update', resource, summary, fields, ...call, withManagedSecurityGroup: managed !== undefined },
  ];
}

/** Of one that is adopted, nothing but what people name: all else is as its owner had it. */
function diffAttributes(
  { attributes, name }: LoadBalancerModel,
  found: Pick<ObservedLoadBalancer, 'attributes' | 'tags'>,
): AwsChange[] {
  const managed = isAdopted(found) ? {} : managedOfLoadBalancer({ attributes });
  const { entries, fields } = diffEntries('attributes', found.attributes, attributes, managed);
  if (isEmpty(entries)) return [];
  const summary = `Set of load balancer ${name}: ${describeFields(fields)}`;
  const call = { call: 'ModifyLoadBalancerAttributes' as const, name, attributes: entries };
  return [{ action: 'Update', resource, summary, fields, ...call }];
}

function isAdopted({ tags }: Pick<ObservedLoadBalancer, 'tags'>): boolean {
  return tags[OWNER_TAGS.adopted] !== undefined;
}
