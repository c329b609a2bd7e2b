import type { AwsModel, SecurityGroupModel } from '../model.ts';
import type { AwsObserved, ObservedSecurityGroup } from '../observed.ts';
import { describePorts, describeRule } from './describe-rules.ts';
import { diffSecurityGroup } from './diff-security-group.ts';

/**
 * What becomes of security groups and of the rules of nodes with a load balancer that is to be adopted, in words: all of it, also
 * what waits for the id of a group or for the first target, and the same whatever nodes and pods there are.
 */
export function tellGroups(
  model: AwsModel,
  observed: AwsObserved,
  vpcId: string,
): { before: string[]; after: string[] } {
  const { securityGroup: group } = model;
  const { after, before } = diffSecurityGroup(model, observed, vpcId);
  const left = after.map(({ summary }) => summary);
  if (group === undefined) return { before: [], after: left };
  return {
    before: observed.securityGroup === undefined ? [tellNew(group)] : before.map(({ summary }) => summary),
    after: [...tellNodes(model, group), ...left],
  };
}

/** As if the group were there that is yet to be made, by its name. */
export function withPlannedGroup({ securityGroup: model }: AwsModel, observed: AwsObserved): AwsObserved {
  if (model === undefined || observed.securityGroup !== undefined) return observed;
  const securityGroup: ObservedSecurityGroup = {
    id: model.name,
    name: model.name,
    vpcId: '',
    ingress: [],
    tags: {},
  };
  return { ...observed, securityGroup };
}

function tellNew({ ingress, name }: SecurityGroupModel): string {
  return ingress.length === 0
    ? `Create security group ${name}, which lets nobody in`
    : `Create security group ${name}, which lets in ${ingress.map(describeRule).join(', ')}`;
}

/** Which ports pods have is only known while there are some; those that share let all be reached. */
function tellNodes(
  { accepted, targetGroups }: AwsModel,
  { backend }: Pick<SecurityGroupModel, 'backend'>,
): string[] {
  const shared = 'Attach the security group too that the load balancers of its provider share';
  if (backend === undefined) return [shared];
  const ofPods = accepted === undefined && targetGroups.some(({ targetType }) => targetType === 'ip');
  const ports = ofPods ? 'the ports of its pods and their health checks' : describePorts(backend.ports);
  if (ports === undefined) return [shared];
  return [`${shared}, and let it reach ${ports} by rules of the security groups of its targets`];
}
