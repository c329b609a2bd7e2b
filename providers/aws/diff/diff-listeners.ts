import { isDeepStrictEqual } from 'node:util';
import type { AwsChange } from '../changes.ts';
import { managedOfListener } from '../managed-attributes.ts';
import type { AwsModel, ListenerModel } from '../model.ts';
import type { AwsObserved, ObservedListener, ObservedLoadBalancer } from '../observed.ts';
import { describeFields, diffEntries, diffField, isEmpty } from './diff-fields.ts';
import { diffTags } from './diff-tags.ts';

const resource = 'Listener';

export interface ListenersDiff {
  set: AwsChange[];
  remove: AwsChange[];
}

/** The listeners of one member on a load balancer. A port has one listener, whatever its protocol. */
export function diffListeners(
  model: AwsModel,
  loadBalancer: ObservedLoadBalancer | undefined,
  observed: AwsObserved,
): ListenersDiff {
  const { name } = model.loadBalancer;
  const found = loadBalancer?.listeners ?? [];
  const set: AwsChange[] = [];
  for (const listener of model.listeners) {
    const group = model.targetGroups.find(({ key }) => key === listener.targetGroup);
    if (group === undefined) continue;
    const there = found.find(({ port }) => port === listener.port);
    const isOurs = there?.member !== undefined;
    if (there === undefined) set.push(create(name, listener, group.name));
    // Of another that shares the stack and has the port no more: whose it is, is decided by what all of them ask for.
    else if (isOurs) {
      const former = observed.targetGroups.find(({ arn }) => arn === there.targetGroupArn)?.name;
      set.push(...diffListener(name, listener, there, { former, name: group.name }));
    }
    set.push(...diffAttributes(name, listener, isOurs ? there : undefined));
  }
  const removed = found.filter(
    ({ member, port }) => member === model.member && !model.listeners.some((each) => each.port === port),
  );
  return { set, remove: removed.map((listener) => remove(name, listener)) };
}

export function removeListener(loadBalancer: string, listener: ObservedListener): AwsChange {
  return remove(loadBalancer, listener);
}

/**
 * A port that a listener has which none of ours made, on a load balancer that is ours or was adopted. One of another that shares
 * it is taken over: that one asks for it no more, or is younger, and refused.
 */
export function findTakenPorts(model: AwsModel, loadBalancer: ObservedLoadBalancer | undefined): number[] {
  const found = loadBalancer?.listeners ?? [];
  return model.listeners
    .filter(({ port }) => found.some((each) => each.port === port && each.member === undefined))
    .map(({ port }) => port);
}

function create(loadBalancer: string, listener: ListenerModel, targetGroupName: string): AwsChange {
  const summary = `Create listener ${listener.protocol} ${listener.port} to target group ${targetGroupName}`;
  return {
    action: 'Create',
    resource,
    summary,
    fields: diffField('listeners', undefined, `${listener.protocol} ${listener.port}`),
    call: 'CreateListener',
    loadBalancer,
    listener,
    targetGroupName,
  };
}

function remove(loadBalancer: string, { member, port, protocol }: ObservedListener): AwsChange {
  const summary = `Delete listener ${protocol} ${port}`;
  const call = { call: 'DeleteListener' as const, loadBalancer, port, protocol };
  return { action: 'Delete', resource, summary, ...call, ...(member === undefined ? {} : { member }) };
}

function diffListener(
  loadBalancer: string,
  model: ListenerModel,
  found: ObservedListener,
  group: { former: string | undefined; name: string },
): AwsChange[] {
  const certificates = (list: readonly string[]) => [...list.slice(0, 1), ...list.slice(1).sort()];
  const [actual, expected] = [certificates(found.certificates), certificates(model.certificates)];
  const fields = [
    ...diffField('protocol', found.protocol, model.protocol),
    ...diffField('targetGroup', group.former, group.name),
    ...diffField('sslPolicy', found.sslPolicy, model.sslPolicy),
    ...diffField('alpnPolicy', alpnOf(found), alpnOf(model)),
    ...(isDeepStrictEqual(actual, expected)
      ? []
      : diffField('certificates', actual.join(', ') || undefined, expected.join(', ') || undefined)),
  ];
  const formerly = { kind: resource, loadBalancer, port: model.port, protocol: found.protocol } as const;
  const tags = diffTags(formerly, found.tags, model.tags);
  if (fields.length === 0) return tags;
  const summary = `Change listener ${model.protocol} ${model.port}: ${describeFields(fields)}`;
  const call = {
    call: 'ModifyListener' as const,
    loadBalancer,
    listener: model,
    targetGroupName: group.name,
    ...(found.protocol === model.protocol ? {} : { formerProtocol: found.protocol }),
  };
  // The tags first: from then on whoever had the port leaves it alone.
  return [...tags, { action: 'Update', resource, summary, fields, ...call }];
}

function diffAttributes(
  loadBalancer: string,
  { attributes, port, protocol }: ListenerModel,
  found: ObservedListener | undefined,
): AwsChange[] {
  const { entries, fields } = diffEntries(
    'attributes',
    found?.attributes ?? {},
    attributes,
    managedOfListener({ protocol }),
  );
  if (isEmpty(entries)) return [];
  const summary = `Set of listener ${protocol} ${port}: ${describeFields(fields)}`;
  const call = {
    call: 'ModifyListenerAttributes' as const,
    loadBalancer,
    port,
    protocol,
    attributes: entries,
  };
  return [{ action: 'Update', resource, summary, fields, ...call }];
}

/** Nothing said is None (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/create-tls-listener.html#alpn-policies). */
function alpnOf({
  alpnPolicy,
  protocol,
}: Pick<ObservedListener, 'alpnPolicy' | 'protocol'>): string | undefined {
  return protocol === 'TLS' ? (alpnPolicy ?? 'None') : undefined;
}
