import type { PlainObject } from './plain.ts';

/** What moto doesn't keep of a load balancer. */
export interface LoadBalancerView {
  /** In the order of creation, from 1. */
  sequence: number;
  arn: string;
  name: string;
  network: boolean;
  scheme: string;
  createdAt: number;
  /** Parameters of its creation but for tags: what a second creation is compared with. */
  settings: PlainObject;
  subnets: SubnetView[];
  securityGroups: string[];
  deletionProtection: boolean;
}

export interface SubnetView {
  subnetId: string;
  zone: string;
  vpcId: string;
  /** LoadBalancerAddresses of DescribeLoadBalancers. */
  addresses: PlainObject[];
}

export interface ListenerView {
  arn: string;
  loadBalancerArn: string;
  port: string;
  protocol: string;
  targetGroups: string[];
  /** The default one; those that were added are moto's to keep. */
  certificate: string | undefined;
  alpnPolicy: string[];
}

export interface TargetGroupView {
  arn: string;
  name: string;
  protocol: string;
  port: string;
  targetType: string;
  vpcId: string;
  settings: PlainObject;
  matcher: string | undefined;
  /** What was set of its attributes. */
  attributes: Record<string, string>;
  /** By `id:port`. */
  targets: Map<string, TargetView>;
  /** When the last listener let go of it. */
  releasedAt: number | undefined;
}

export interface TargetView {
  id: string;
  port: string;
  /** undefined: unknown, or `all`. */
  zone: string | undefined;
  registeredAt: number;
  drainingSince: number | undefined;
}

/** What the proxy knows of one region beside moto: it sees every call, so it misses nothing. */
export class View {
  readonly loadBalancers = new Map<string, LoadBalancerView>();
  readonly listeners = new Map<string, ListenerView>();
  readonly targetGroups = new Map<string, TargetGroupView>();
  /** When a load balancer last let go of a security group. */
  readonly securityGroupReleases = new Map<string, number>();
  /** Tags of what ELBv2 has, by ARN, as far as anybody asked: not since they last changed. */
  readonly tags = new Map<string, Record<string, string>>();
  /** When things were made, by ARN or id. */
  readonly madeAt = new Map<string, number>();
  /** Free addresses of subnets, where a test says so. */
  readonly freeAddresses = new Map<string, number>();
  /** What EC2 said of subnets and instances, by id; emptied by every write that may change them. */
  readonly network = { subnets: new Map<string, PlainObject>(), instances: new Map<string, PlainObject>() };
  #sequence = 0;

  forgetNetwork(): void {
    for (const known of Object.values(this.network)) known.clear();
  }

  nextSequence(): number {
    this.#sequence++;
    return this.#sequence;
  }

  loadBalancerNamed(name: string): LoadBalancerView | undefined {
    return [...this.loadBalancers.values()].find((loadBalancer) => loadBalancer.name === name);
  }

  targetGroupNamed(name: string): TargetGroupView | undefined {
    return [...this.targetGroups.values()].find((group) => group.name === name);
  }

  listenersOf(loadBalancerArn: string): ListenerView[] {
    return [...this.listeners.values()].filter((listener) => listener.loadBalancerArn === loadBalancerArn);
  }

  /** Load balancers with a listener that sends to this target group. */
  loadBalancersOf(targetGroupArn: string): string[] {
    const users = [...this.listeners.values()].filter(({ targetGroups }) =>
      targetGroups.includes(targetGroupArn),
    );
    return [...new Set(users.map(({ loadBalancerArn }) => loadBalancerArn))];
  }

  /** The same of all at once. */
  loadBalancersByTargetGroup(): Map<string, Set<string>> {
    const users = new Map<string, Set<string>>();
    for (const { targetGroups, loadBalancerArn } of this.listeners.values()) {
      for (const arn of targetGroups) users.set(arn, (users.get(arn) ?? new Set()).add(loadBalancerArn));
    }
    return users;
  }

  loadBalancersIn(subnetId: string): LoadBalancerView[] {
    return [...this.loadBalancers.values()].filter(({ subnets }) =>
      subnets.some((subnet) => subnet.subnetId === subnetId),
    );
  }
}
