import type { Change } from '../provider.ts';
import type {
  HealthCheckModel,
  ListenerModel,
  LoadBalancerModel,
  SecurityGroupModel,
  SecurityGroupPorts,
  SecurityGroupRule,
  SubnetMappingModel,
  TargetGroupModel,
  TargetModel,
} from './model.ts';
import type { ObservedSecurityGroup } from './observed.ts';

/**
 * One call of AWS, or one that is done in batches. Things are named by stack, variant and key, not by ARN: one made by an
 * earlier change of the same plan has none yet. `apply` looks them up in what is known of the stack.
 */
export type AwsChange = Change & AwsCall & { /** Of which stack; absent: the subject's. */ stack?: string };

export type AwsCall =
  | { call: 'CreateSecurityGroup'; securityGroup: SecurityGroupModel; vpcId: string }
  | { call: 'AuthorizeSecurityGroupIngress'; rules: SecurityGroupRule[] }
  /** Somebody else's may be of any protocol. */
  | {
      call: 'RevokeSecurityGroupIngress';
      rules: (Omit<SecurityGroupRule, 'protocol'> & { protocol: string })[];
    }
  | { call: 'DeleteSecurityGroup' }
  /** Takes from the shared group whom somebody let in by it. */
  | { call: 'CloseSharedGroup'; rules: ObservedRule[] }
  /**
   * Brings the rules of the nodes' group to the ports that all stacks of this cluster need there. `wanted`: of these, what is
   * needed in the end, where there's no room for what was needed so far beside it.
   */
  | { call: 'SyncBackendRules'; ports: SecurityGroupPorts[]; wanted?: readonly SecurityGroupPorts[] }
  | { call: 'CreateTargetGroup'; targetGroup: TargetGroupModel; vpcId: string }
  | { call: 'ModifyTargetGroup'; name: string; healthCheck: HealthCheckModel }
  | { call: 'ModifyTargetGroupAttributes'; name: string; attributes: Record<string, string> }
  | { call: 'RegisterTargets'; name: string; targets: TargetModel[] }
  | { call: 'DeregisterTargets'; name: string; targets: { id: string; port: number }[] }
  | { call: 'DeleteTargetGroup'; name: string }
  | {
      call: 'CreateLoadBalancer';
      loadBalancer: LoadBalancerModel;
      mappings: SubnetMappingModel[];
      /** Whether the managed group of the stack comes on top. */
      withManagedSecurityGroup: boolean;
    }
  | { call: 'ModifyLoadBalancerAttributes'; name: string; attributes: Record<string, string> }
  | { call: 'SetSubnets'; name: string; mappings: SubnetMappingModel[]; ipAddressType: string }
  | { call: 'SetSecurityGroups'; name: string; securityGroups: string[]; withManagedSecurityGroup: boolean }
  | { call: 'SetIpAddressType'; name: string; ipAddressType: string }
  | { call: 'DeleteLoadBalancer'; name: string }
  /** `targetGroup` of the listener's model is the target group's key; `targetGroupName` the name of the one that is meant. */
  | { call: 'CreateListener'; loadBalancer: string; listener: ListenerModel; targetGroupName: string }
  | {
      call: 'ModifyListener';
      loadBalancer: string;
      listener: ListenerModel;
      targetGroupName: string;
      /** Its protocol until now, where that changes. */
      formerProtocol?: string | undefined;
    }
  | {
      call: 'ModifyListenerAttributes';
      loadBalancer: string;
      port: number;
      protocol: string;
      attributes: Record<string, string>;
    }
  /** `member`: whose it is; when another has the port by then, it stays. */
  | { call: 'DeleteListener'; loadBalancer: string; port: number; protocol: string; member?: string }
  | { call: 'AddTags'; of: TaggedThing; tags: Record<string, string> }
  | { call: 'RemoveTags'; of: TaggedThing; keys: string[] };

type ObservedRule = ObservedSecurityGroup['ingress'][number];

/** Something of the stack that has tags. */
export type TaggedThing =
  | { kind: 'LoadBalancer'; name: string }
  | { kind: 'TargetGroup'; name: string }
  | { kind: 'Listener'; loadBalancer: string; port: number; protocol: string }
  | { kind: 'SecurityGroup' };
