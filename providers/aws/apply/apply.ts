import type { AwsConfig } from '../../../crds/aws-provider.ts';
import type { Subject } from '../../provider.ts';
import type { AwsChange } from '../changes.ts';
import type { Inventory } from '../observe/inventory.ts';
import { stackOf } from '../stack-of.ts';
import { syncBackendRules } from './apply-backend-rules.ts';
import {
  createListener,
  deleteListener,
  modifyListener,
  modifyListenerAttributes,
} from './apply-listeners.ts';
import {
  createLoadBalancer,
  deleteLoadBalancer,
  modifyLoadBalancerAttributes,
  setIpAddressType,
  setSecurityGroups,
  setSubnets,
} from './apply-load-balancers.ts';
import {
  authorizeIngress,
  closeSharedGroup,
  createSecurityGroup,
  deleteSecurityGroup,
  revokeIngress,
} from './apply-security-groups.ts';
import { addTags, removeTags } from './apply-tags.ts';
import {
  createTargetGroup,
  deleteTargetGroup,
  modifyTargetGroup,
  modifyTargetGroupAttributes,
} from './apply-target-groups.ts';
import { deregisterTargets, registerTargets } from './apply-targets.ts';
import { StackWriter } from './stack-writer.ts';

/** What each of the changes below is done with. */
export interface ApplyInput {
  inventory: Inventory;
  subject: Subject;
  config: AwsConfig;
  signal: AbortSignal;
}

/**
 * Does one change, alone of all that concern its stack. What was done already, by an earlier try or by another member of the
 * stack, isn't done again. Nothing is waited for here: what AWS isn't ready for is a Transient error in words.
 */
export async function applyChange(change: AwsChange, input: ApplyInput): Promise<void> {
  const { inventory, signal, subject } = input;
  const stack = change.stack ?? stackOf(subject);
  await inventory.ready(signal);
  await inventory.locks.run(stack, signal, () => dispatch(change, new StackWriter(stack, input)));
}

function dispatch(change: AwsChange, writer: StackWriter): Promise<void> {
  switch (change.call) {
    case 'CreateSecurityGroup':
      return createSecurityGroup(writer, change);
    case 'AuthorizeSecurityGroupIngress':
      return authorizeIngress(writer, change);
    case 'RevokeSecurityGroupIngress':
      return revokeIngress(writer, change);
    case 'DeleteSecurityGroup':
      return deleteSecurityGroup(writer);
    case 'CloseSharedGroup':
      return closeSharedGroup(writer, change);
    case 'SyncBackendRules':
      return syncBackendRules(writer, change);
    case 'CreateTargetGroup':
      return createTargetGroup(writer, change);
    case 'ModifyTargetGroup':
      return modifyTargetGroup(writer, change);
    case 'ModifyTargetGroupAttributes':
      return modifyTargetGroupAttributes(writer, change);
    case 'RegisterTargets':
      return registerTargets(writer, change);
    case 'DeregisterTargets':
      return deregisterTargets(writer, change);
    case 'DeleteTargetGroup':
      return deleteTargetGroup(writer, change);
    case 'CreateLoadBalancer':
      return createLoadBalancer(writer, change);
    case 'ModifyLoadBalancerAttributes':
      return modifyLoadBalancerAttributes(writer, change);
    case 'SetSubnets':
      return setSubnets(writer, change);
    case 'SetSecurityGroups':
      return setSecurityGroups(writer, change);
    case 'SetIpAddressType':
      return setIpAddressType(writer, change);
    case 'DeleteLoadBalancer':
      return deleteLoadBalancer(writer, change);
    case 'CreateListener':
      return createListener(writer, change);
    case 'ModifyListener':
      return modifyListener(writer, change);
    case 'ModifyListenerAttributes':
      return modifyListenerAttributes(writer, change);
    case 'DeleteListener':
      return deleteListener(writer, change);
    case 'AddTags':
      return addTags(writer, change);
    case 'RemoveTags':
      return removeTags(writer, change);
  }
}
