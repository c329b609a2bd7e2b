import { mergePorts } from '../apply/merge-ports.ts';
import type { AwsChange } from '../changes.ts';
import type { AwsModel, SecurityGroupPorts, SecurityGroupRule } from '../model.ts';
import type { AwsObserved, ObservedSecurityGroup } from '../observed.ts';
import { isHeld } from './choose-current.ts';
import { describePorts, describeRule } from './describe-rules.ts';
import { diffField } from './diff-fields.ts';
import { closeSharedGroup, diffNodes } from './diff-shared-group.ts';
import { diffTags } from './diff-tags.ts';

const resource = 'SecurityGroup';

export interface SecurityGroupDiff {
  /** What has to be there before the load balancer. */
  before: AwsChange[];
  /** What nodes let in, what was needed so far still among it: found by way of the targets, so there have to be some. */
  backend: AwsChange[];
  /** What goes once nobody needs it, ports of nodes last. */
  after: AwsChange[];
}

/** The managed group of a stack. All that share it build the same model of it. */
export function diffSecurityGroup(whole: AwsModel, observed: AwsObserved, vpcId: string): SecurityGroupDiff {
  const { securityGroup: model, stack, targetGroups } = whole;
  if (model === undefined) return { before: [], backend: [], after: removeSecurityGroup(observed) };
  const hasTargets = [...targetGroups, ...observed.targetGroups].some(({ targets }) => targets.length > 0);
  const held = findHeldPorts(whole, observed);
  const known = observed.backendPorts ?? [];
  const needed = model.backend?.ports ?? [];
  // Which ports of nodes those need isn't known here: all that were needed so far.
  const ports =
    held.length > 0 && needed.length > 0
      ? mergePorts([...needed, ...known], Number.POSITIVE_INFINITY)
      : needed;
  const { backend, close, open } = diffBackend(ports, known, hasTargets);
  if (backend.length === 0) backend.push(...diffNodes(whole, observed, ports.length === 0 ? [] : open));
  const found = observed.securityGroup;
  if (found === undefined) {
    const summary = `Create security group ${model.name} with ${model.ingress.length} rules for ${stack}`;
    const call = { call: 'CreateSecurityGroup' as const, securityGroup: model, vpcId };
    const fields = diffField('name', undefined, model.name);
    return { before: [{ action: 'Create', resource, summary, fields, ...call }], backend, after: close };
  }
  const missing = model.ingress.filter((rule) => !found.ingress.some((each) => isSame(each, rule)));
  const extra = found.ingress.filter(
    (rule) => !model.ingress.some((each) => isSame(each, rule)) && !held.some((port) => lets(rule, port)),
  );
  return {
    before: [...letIn(missing), ...diffTags({ kind: resource }, found.tags, model.tags)],
    backend,
    after: [...shutOut(extra), ...closeSharedGroup(observed), ...close],
  };
}

/** The group of a stack that goes, or that has groups of its owner's by now, and what nodes let in for it. */
export function removeSecurityGroup({ backendPorts = [], securityGroup }: AwsObserved): AwsChange[] {
  if (securityGroup === undefined) return [];
  const changes: AwsChange[] = [];
  if (backendPorts.length > 0) {
    const summary = 'Nodes need not let this load balancer in any more';
    changes.push({
      action: 'Delete',
      resource: 'SecurityGroupRule',
      summary,
      call: 'SyncBackendRules',
      ports: [],
    });
  }
  const summary = `Delete security group ${securityGroup.name}`;
  changes.push({ action: 'Delete', resource, summary, call: 'DeleteSecurityGroup' });
  return changes;
}

function letIn(rules: SecurityGroupRule[]): AwsChange[] {
  if (rules.length === 0) return [];
  const summary = `Let in ${rules.map(describeRule).join(', ')}`;
  const fields = rules.flatMap((rule) => diffField('ingress', undefined, describeRule(rule)));
  return [{ action: 'Update', resource, summary, fields, call: 'AuthorizeSecurityGroupIngress', rules }];
}

function shutOut(found: readonly ObservedSecurityGroup['ingress'][number][]): AwsChange[] {
  if (found.length === 0) return [];
  const rules = found.map((rule) => ({ ...rule, description: '' }));
  const summary = `Let no longer in ${rules.map(describeRule).join(', ')}`;
  const fields = rules.flatMap((rule) => diffField('ingress', describeRule(rule), undefined));
  return [{ action: 'Update', resource, summary, fields, call: 'RevokeSecurityGroupIngress', rules }];
}

/** Nothing leads to a port before nodes let it in, and one is shut when nothing leads there any more. */
function diffBackend(
  wanted: readonly SecurityGroupPorts[],
  found: readonly SecurityGroupPorts[],
  hasTargets: boolean,
): { open: SecurityGroupPorts[]; backend: AwsChange[]; close: AwsChange[] } {
  const open = mergePorts([...found, ...wanted], Number.POSITIVE_INFINITY);
  if (wanted.length > 0 && !hasTargets) return { open, backend: [], close: [] };
  const close = letReach(open, wanted);
  const backend = letReach(found, open).map((each) => (close.length === 0 ? each : { ...each, wanted }));
  return { open, backend, close };
}

function letReach(from: readonly SecurityGroupPorts[], to: readonly SecurityGroupPorts[]): AwsChange[] {
  const fields = diffField('ports', describePorts(from), describePorts(to));
  if (fields.length === 0) return [];
  const summary = `Nodes let the load balancer reach ${describePorts(to) ?? 'nothing'}`;
  const call = { call: 'SyncBackendRules' as const, ports: [...to] };
  return [{ action: 'Update', resource: 'SecurityGroupRule', summary, fields, ...call }];
}

interface HeldPort {
  protocols: string[];
  port: number;
}

/** Ports that are served for those who share the stack no more, or may not: their target groups tell, by their keys. */
function findHeldPorts(model: AwsModel, { targetGroups }: AwsObserved): HeldPort[] {
  return targetGroups
    .filter((group) => isHeld(model, group))
    .flatMap(({ key }) => {
      const [, protocol = '', port] = /^([A-Z_]+)-(\d+)$/.exec(key) ?? [];
      if (port === undefined) return [];
      return [{ protocols: protocol.toLowerCase().split('_'), port: Number(port) }];
    });
}

function lets({ fromPort, protocol, toPort }: Rule, { port, protocols }: HeldPort): boolean {
  return protocols.includes(protocol) && fromPort <= port && port <= toPort;
}

type Rule = ObservedSecurityGroup['ingress'][number];

function isSame(a: Rule, b: Rule): boolean {
  return a.protocol === b.protocol && a.fromPort === b.fromPort && a.toPort === b.toPort && a.cidr === b.cidr;
}
