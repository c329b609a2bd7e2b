/**
 * A Network Load Balancer with all that belongs to it, in the words of the ELBv2 and EC2 APIs: what `build` makes, what is
 * compared with `observed.ts`, and what golden files show. Plain JSON; ARNs and ids of what we make aren't in it.
 */
export interface AwsModel {
  /** Tag value and name of the whole: `<namespace>/<LoadBalancer>`, or what several share. */
  stack: string;
  /** Which LoadBalancer's listeners and target groups these are, of those that share the stack. */
  member: string;
  /** Whether this one decides what belongs to the whole; the others only add listeners to it. */
  leads: boolean;
  /** Of those that share the stack, those that nothing speaks against; absent: it shares nothing. */
  accepted?: string[];
  loadBalancer: LoadBalancerModel;
  /** undefined: none is managed; those in `loadBalancer.securityGroups` are taken as they are. */
  securityGroup: SecurityGroupModel | undefined;
  listeners: ListenerModel[];
  targetGroups: TargetGroupModel[];
  /** Names of nodes that are no instances of AWS, and so no targets. */
  foreignNodes: string[];
  /** What can't be carried out as it is asked for; with one of these nothing is made or changed. */
  refusals: { reason: string; message: string }[];
  /** The ARN of a load balancer that is to be taken over, and what the annotation says to confirm it. */
  adopt?: { arn: string; confirmed: string | undefined } | undefined;
}

export interface LoadBalancerModel {
  /** At most 32 letters, digits and dashes, one an account and region; another when it has to be replaced. */
  name: string;
  /** Whether people gave the name; one that was made up is no reason to replace a load balancer of another name. */
  isNamed: boolean;
  /** What can't be changed in place (scheme, kind of security groups): another value is another load balancer. */
  variant: string;
  scheme: 'internet-facing' | 'internal';
  ipAddressType: 'ipv4' | 'dualstack';
  subnets: SubnetChoice;
  /** Ids given by people; the managed one comes on top. */
  securityGroups: string[];
  /** `key: value` of ModifyLoadBalancerAttributes; those that aren't named are left as they are. */
  attributes: Record<string, string>;
  tags: Record<string, string>;
}

/** Subnets as given, or found by tags: one a zone, in the order of their ids. */
export type SubnetChoice =
  | { kind: 'given'; mappings: SubnetMappingModel[] }
  | {
      kind: 'tagged';
      /** All must be there with this value; '' means any. */
      tags: Record<string, string>;
      /** Of several in a zone, those with this tag go before. */
      clusterTag: string | undefined;
      vpcId: string | undefined;
      /** These three by the order of zones. */
      elasticIPs: string[];
      privateAddresses: string[];
      ipv6Addresses: string[];
    };

export interface SubnetMappingModel {
  /** An id, or the value of the tag Name. */
  subnet: string;
  allocationId?: string | undefined;
  privateIPv4Address?: string | undefined;
  ipv6Address?: string | undefined;
}

/** The front-end group: who may connect to the listeners. */
export interface SecurityGroupModel {
  name: string;
  description: string;
  ingress: SecurityGroupRule[];
  tags: Record<string, string>;
  /** Whether rules in the nodes' group let the load balancer reach these ports of nodes or pods. */
  backend: { ports: SecurityGroupPorts[] } | undefined;
  /** What people asked for in words (`manageSecurityGroup`, `manageBackendRules`): of one that was adopted, only that is done. */
  asked?: ('clients' | 'nodes')[];
}

export interface SecurityGroupPorts {
  protocol: 'tcp' | 'udp' | 'icmp' | 'icmpv6';
  fromPort: number;
  toPort: number;
}

export interface SecurityGroupRule extends SecurityGroupPorts {
  /** IPv4 or IPv6. */
  cidr: string;
  description: string;
}

export interface ListenerModel {
  /** `<protocol>-<port>` of the Service's port, the same as its target group's key. */
  key: string;
  port: number;
  protocol: 'TCP' | 'UDP' | 'TCP_UDP' | 'TLS';
  certificates: string[];
  sslPolicy: string | undefined;
  alpnPolicy: string | undefined;
  attributes: Record<string, string>;
  /** Key of the target group that it forwards to. */
  targetGroup: string;
  tags: Record<string, string>;
}

export interface TargetGroupModel {
  key: string;
  /** At most 32 letters, digits and dashes; says what can't be changed, so that such a change makes another one. */
  name: string;
  protocol: 'TCP' | 'UDP' | 'TCP_UDP' | 'TLS';
  port: number;
  targetType: 'instance' | 'ip';
  ipAddressType: 'ipv4' | 'ipv6';
  healthCheck: HealthCheckModel;
  attributes: Record<string, string>;
  targets: TargetModel[];
  tags: Record<string, string>;
}

export interface HealthCheckModel {
  protocol: 'TCP' | 'HTTP' | 'HTTPS';
  /** A number, or `traffic-port`. */
  port: string;
  path: string | undefined;
  intervalSeconds: number;
  timeoutSeconds: number;
  healthyThreshold: number;
  unhealthyThreshold: number;
  /** HTTP codes, `200-399`. */
  matcher: string | undefined;
}

export interface TargetModel {
  /** An instance's id, or an address. */
  id: string;
  port: number;
  zone: string | undefined;
  /** Pods behind an address, for their readiness gates. */
  pods: string[];
  /** Whether to wait for its health: pods that are gated. */
  gated: boolean;
}
