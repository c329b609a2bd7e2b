import type { SecurityGroupPorts } from './model.ts';

/** What AWS has of one stack, as it was last read or as our own writes left it. */
export interface AwsObserved {
  /** Those with our tags: one, or two while one takes the place of the other. */
  loadBalancers: ObservedLoadBalancer[];
  /** Of all members of the stack. */
  targetGroups: ObservedTargetGroup[];
  securityGroup: ObservedSecurityGroup | undefined;
  /** Ports that the nodes' group lets this stack's load balancers reach; undefined: none were ever asked for. */
  backendPorts: SecurityGroupPorts[] | undefined;
  /** The group that nodes let in, which goes with a managed one; absent: there is none yet. */
  sharedGroup?: ObservedSharedGroup;
  /** What is around: undefined until it is needed. */
  network: ObservedNetwork | undefined;
  /** The load balancer that is to be adopted, as it is. */
  adoptable?: ObservedLoadBalancer | undefined;
  /** Member of the stack that `diff(undefined, ...)` takes away; the stack goes with its last one. */
  member: string;
  members: string[];
  /** What this member has in other stacks: it shared, or shares, with others. It goes once this one serves. */
  elsewhere?: { stack: string; observed: AwsObserved }[];
  /** When to ask again, of what takes its time: a load balancer that is provisioning, targets that aren't healthy yet. */
  lookAgainAfterSeconds: number | undefined;
}

export interface ObservedLoadBalancer {
  arn: string;
  name: string;
  variant: string;
  dnsName: string;
  hostedZoneId: string | undefined;
  state: 'provisioning' | 'active' | 'active_impaired' | 'failed';
  stateReason: string | undefined;
  scheme: string;
  ipAddressType: string;
  vpcId: string;
  subnets: ObservedZone[];
  /** Without the shared one of the cluster, which goes with the managed one of the stack: where it's missing, so is that. */
  securityGroups: string[];
  /** Those that were ever read or written. */
  attributes: Record<string, string>;
  tags: Record<string, string>;
  /** Of a load balancer that is known to be as it was applied, the model's. */
  listeners: ObservedListener[];
}

/** A load balancer in one zone. */
export interface ObservedZone {
  subnetId: string;
  zone: string;
  addresses: string[];
  /** Of elastic IPs. */
  allocationIds?: string[];
}

export interface ObservedListener {
  /** undefined: known to be there, its ARN wasn't read yet. */
  arn: string | undefined;
  key: string | undefined;
  member: string | undefined;
  port: number;
  protocol: string;
  certificates: string[];
  sslPolicy: string | undefined;
  alpnPolicy: string | undefined;
  attributes: Record<string, string>;
  targetGroupArn: string | undefined;
  tags: Record<string, string>;
}

export interface ObservedTargetGroup {
  arn: string;
  key: string;
  member: string;
  name: string;
  protocol: string;
  port: number;
  targetType: string;
  ipAddressType: string;
  healthCheck: {
    protocol: string;
    port: string;
    path: string | undefined;
    intervalSeconds: number;
    timeoutSeconds: number;
    healthyThreshold: number;
    unhealthyThreshold: number;
    matcher: string | undefined;
  };
  attributes: Record<string, string>;
  tags: Record<string, string>;
  targets: ObservedTarget[];
  /** Targets that AWS took none of, and why: they are left out until their time has come. Absent: none. */
  refused?: RefusedTarget[];
}

export interface RefusedTarget {
  id: string;
  port: number;
  /** In AWS' words. */
  reason: string;
}

export interface ObservedTarget {
  id: string;
  port: number;
  /** As DescribeTargetHealth said last; undefined: it wasn't asked since it was registered. */
  health:
    | 'initial'
    | 'healthy'
    | 'unhealthy'
    | 'unhealthy.draining'
    | 'unused'
    | 'draining'
    | 'unavailable'
    | undefined;
  /** AWS' code and words for it. */
  reason: string | undefined;
}

export interface ObservedSecurityGroup {
  id: string;
  name: string;
  vpcId: string;
  ingress: { protocol: string; fromPort: number; toPort: number; cidr: string }[];
  tags: Record<string, string>;
}

/** The group by which nodes know the load balancers of a provider. It has no rules of its own. */
export interface ObservedSharedGroup {
  id: string;
  /** Whom somebody let in by it. */
  ingress: ObservedSecurityGroup['ingress'];
  /** Rules of ours for it that somebody made of others, or that nobody needs. */
  strays: NodeRule[];
  /** Why it can't be told which groups the targets of this stack have. */
  trouble?: string | undefined;
  /** Targets of this stack that were registered, and nobody saw to whether they let it in. */
  joined?: ReadonlySet<string>;
  /** Targets that are known to let it in; undefined: nobody asked yet. */
  reached: ReadonlySet<string> | undefined;
}

/** What a group of nodes lets in. */
export interface NodeRule extends SecurityGroupPorts {
  groupId: string;
}

/** Of the account and region, read now and then: what subnets there are, and the nodes' security group. */
export interface ObservedNetwork {
  vpcId: string | undefined;
  subnets: ObservedSubnet[];
}

export interface ObservedSubnet {
  id: string;
  name: string | undefined;
  zone: string;
  vpcId: string;
  availableAddresses: number;
  hasIPv6: boolean;
  /** Of both families; none: they weren't told. */
  cidrs?: string[];
  tags: Record<string, string>;
}
