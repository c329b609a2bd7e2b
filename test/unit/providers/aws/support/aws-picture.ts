import { covers, mergePorts } from '../../../../../providers/aws/apply/merge-ports.ts';
import type { AwsCall, AwsChange, TaggedThing } from '../../../../../providers/aws/changes.ts';
import type { SubnetMappingModel, TargetGroupModel } from '../../../../../providers/aws/model.ts';
import type {
  AwsObserved,
  ObservedListener,
  ObservedLoadBalancer,
  ObservedNetwork,
  ObservedSecurityGroup,
  ObservedTargetGroup,
} from '../../../../../providers/aws/observed.ts';
import { OWNER_TAGS } from '../../../../../providers/aws/tags.ts';

type Of<C extends AwsCall['call']> = Extract<AwsCall, { call: C }>;

/**
 * One stack at AWS, in memory, as `observe` would tell it. Refuses what AWS refuses, as far as the order of changes matters:
 * names and ports that are taken, what is used or isn't there, subnets that change within a zone, target groups of two load
 * balancers.
 */
export class AwsPicture {
  readonly network: ObservedNetwork;
  loadBalancers: ObservedLoadBalancer[] = [];
  targetGroups: ObservedTargetGroup[] = [];
  securityGroup: ObservedSecurityGroup | undefined;
  backendPorts: AwsObserved['backendPorts'];
  /** Somebody's, until it is tagged as ours. */
  adoptable: ObservedLoadBalancer | undefined;
  #made = 0;

  constructor(network: ObservedNetwork) {
    this.network = network;
  }

  observe(member: string): AwsObserved {
    const members = new Set(this.targetGroups.map((group) => group.member));
    for (const { listeners } of this.loadBalancers) {
      for (const listener of listeners) if (listener.member !== undefined) members.add(listener.member);
    }
    return structuredClone({
      loadBalancers: this.loadBalancers,
      targetGroups: this.targetGroups,
      securityGroup: this.securityGroup,
      backendPorts: this.backendPorts,
      network: this.network,
      ...(this.adoptable === undefined ? {} : { adoptable: this.adoptable }),
      member,
      members: [...members].sort(),
      lookAgainAfterSeconds: undefined,
    });
  }

  /** Time passes: what was set up is there, and targets are well. */
  settle(): void {
    for (const each of this.loadBalancers) if (each.state === 'provisioning') each.state = 'active';
    for (const { targets } of this.targetGroups) for (const target of targets) target.health = 'healthy';
  }

  /** Throws an Error where AWS would refuse. */
  apply(change: AwsChange): void {
    switch (change.call) {
      case 'CreateSecurityGroup':
        this.#createSecurityGroup(change);
        return;
      case 'AuthorizeSecurityGroupIngress':
        this.#group().ingress.push(...change.rules.map(({ description: _description, ...rule }) => rule));
        return;
      case 'RevokeSecurityGroupIngress': {
        const gone = new Set(change.rules.map(ruleKey));
        this.#group().ingress = this.#group().ingress.filter((rule) => !gone.has(ruleKey(rule)));
        return;
      }
      case 'DeleteSecurityGroup':
        this.#deleteSecurityGroup();
        return;
      case 'SyncBackendRules':
        this.#syncBackendRules(change);
        return;
      case 'CreateTargetGroup':
        this.#createTargetGroup(change);
        return;
      case 'ModifyTargetGroup':
        this.#targetGroup(change.name).healthCheck = { ...change.healthCheck };
        return;
      case 'ModifyTargetGroupAttributes':
        Object.assign(this.#targetGroup(change.name).attributes, change.attributes);
        return;
      case 'RegisterTargets':
        this.#registerTargets(change);
        return;
      case 'DeregisterTargets': {
        const group = this.#targetGroup(change.name);
        group.targets = group.targets.filter((each) => !change.targets.some((gone) => isSame(each, gone)));
        return;
      }
      case 'DeleteTargetGroup':
        this.#deleteTargetGroup(change);
        return;
      case 'CreateLoadBalancer':
        this.#createLoadBalancer(change);
        return;
      case 'ModifyLoadBalancerAttributes':
        Object.assign(this.#loadBalancer(change.name).attributes, change.attributes);
        return;
      case 'SetSubnets':
        this.#setSubnets(change);
        return;
      case 'SetSecurityGroups':
        this.#setSecurityGroups(change);
        return;
      case 'SetIpAddressType':
        this.#loadBalancer(change.name).ipAddressType = change.ipAddressType;
        return;
      case 'DeleteLoadBalancer':
        this.#loadBalancer(change.name);
        this.loadBalancers = this.loadBalancers.filter(({ name }) => name !== change.name);
        return;
      case 'CreateListener':
        this.#createListener(change);
        return;
      case 'ModifyListener':
        this.#modifyListener(change);
        return;
      case 'ModifyListenerAttributes':
        Object.assign(this.#listener(change).attributes, change.attributes);
        return;
      case 'DeleteListener': {
        const found = this.#listener(change);
        const loadBalancer = this.#loadBalancer(change.loadBalancer);
        loadBalancer.listeners = loadBalancer.listeners.filter((each) => each !== found);
        return;
      }
      case 'AddTags':
        this.#addTags(change);
        return;
      case 'RemoveTags': {
        const thing = this.#tagged(change.of);
        for (const key of change.keys) delete thing.tags[key];
        if (change.of.kind === 'LoadBalancer') this.#handBack(change.of.name);
        return;
      }
    }
  }

  #id(what: string): string {
    this.#made++;
    return `${what}-${this.#made}`;
  }

  #group(): ObservedSecurityGroup {
    return this.securityGroup ?? fail('there is no security group');
  }

  #loadBalancer(name: string): ObservedLoadBalancer {
    return this.loadBalancers.find((each) => each.name === name) ?? fail(`there is no load balancer ${name}`);
  }

  #targetGroup(name: string): ObservedTargetGroup {
    return this.targetGroups.find((each) => each.name === name) ?? fail(`there is no target group ${name}`);
  }

  #listener({ loadBalancer, port, protocol }: { loadBalancer: string; port: number; protocol: string }) {
    const { listeners } = this.#loadBalancer(loadBalancer);
    const found = listeners.find((each) => each.port === port && each.protocol === protocol);
    return found ?? fail(`there is no listener ${protocol} ${port}`);
  }

  #createSecurityGroup({ securityGroup, vpcId }: Of<'CreateSecurityGroup'>): void {
    if (this.securityGroup !== undefined) fail('there is a security group already');
    const { ingress, name, tags } = securityGroup;
    const rules = ingress.map(({ description: _description, ...rule }) => rule);
    this.securityGroup = { id: this.#id('sg'), name, vpcId, ingress: rules, tags: { ...tags } };
    this.backendPorts ??= [];
  }

  #deleteSecurityGroup(): void {
    const { id } = this.#group();
    if (this.loadBalancers.some(({ securityGroups }) => securityGroups.includes(id)))
      fail('DependencyViolation');
    this.securityGroup = undefined;
    this.backendPorts = undefined;
  }

  #syncBackendRules({ ports }: Of<'SyncBackendRules'>): void {
    if (this.securityGroup === undefined) return;
    const hasTargets = this.targetGroups.some(({ targets }) => targets.length > 0);
    if (!hasTargets && ports.length > 0) return;
    if (!covers(mergePorts(ports, 40), ports)) fail('rules that let in less than was asked for');
    this.backendPorts = [...ports];
  }

  #createTargetGroup({ targetGroup: model, vpcId }: Of<'CreateTargetGroup'>): void {
    if (this.targetGroups.some(({ name }) => name === model.name)) fail('DuplicateTargetGroupName');
    if (!this.network.subnets.some((subnet) => subnet.vpcId === vpcId)) fail(`there is no VPC ${vpcId}`);
    this.targetGroups.push(asObserved(model, this.#id('arn:target-group')));
  }

  #registerTargets({ name, targets }: Of<'RegisterTargets'>): void {
    const group = this.#targetGroup(name);
    group.targets = group.targets.filter((each) => !targets.some((target) => isSame(each, target)));
    for (const { id, port } of targets)
      group.targets.push({ id, port, health: 'initial', reason: undefined });
  }

  #deleteTargetGroup({ name }: Of<'DeleteTargetGroup'>): void {
    const { arn } = this.#targetGroup(name);
    const isUsed = this.loadBalancers.some(({ listeners }) =>
      listeners.some((each) => each.targetGroupArn === arn),
    );
    if (isUsed) fail('ResourceInUse');
    this.targetGroups = this.targetGroups.filter((each) => each.arn !== arn);
  }

  #createLoadBalancer({
    loadBalancer: model,
    mappings,
    withManagedSecurityGroup,
  }: Of<'CreateLoadBalancer'>): void {
    const { ipAddressType, name, scheme, securityGroups, tags } = model;
    if (this.loadBalancers.some((each) => each.name === name)) fail('DuplicateLoadBalancerName');
    if (mappings.length === 0) fail('a load balancer needs a subnet');
    const subnets = this.#place(mappings);
    this.loadBalancers.push({
      arn: this.#id('arn:load-balancer'),
      name,
      variant: tags[OWNER_TAGS.variant] ?? '',
      dnsName: `${name}.elb.example`,
      hostedZoneId: undefined,
      state: 'provisioning',
      stateReason: undefined,
      scheme,
      ipAddressType,
      vpcId: this.network.subnets.find(({ id }) => id === subnets[0]?.subnetId)?.vpcId ?? '',
      subnets,
      securityGroups: [...securityGroups, ...(withManagedSecurityGroup ? [this.#group().id] : [])],
      attributes: {},
      tags: { ...tags },
      listeners: [],
    });
  }

  #place(mappings: readonly SubnetMappingModel[]): ObservedLoadBalancer['subnets'] {
    const placed = mappings.map(({ privateIPv4Address, subnet }) => {
      const found =
        this.network.subnets.find(({ id }) => id === subnet) ?? fail(`there is no subnet ${subnet}`);
      const addresses = privateIPv4Address === undefined ? [] : [privateIPv4Address];
      return { subnetId: found.id, zone: found.zone, addresses };
    });
    if (new Set(placed.map(({ zone }) => zone)).size < placed.length) fail('two subnets in one zone');
    return placed;
  }

  /** https://docs.aws.amazon.com/elasticloadbalancing/latest/network/availability-zones.html */
  #setSubnets({ ipAddressType, mappings, name }: Of<'SetSubnets'>): void {
    const loadBalancer = this.#loadBalancer(name);
    const placed = this.#place(mappings);
    if (placed.length === 0) fail('a load balancer needs a subnet');
    for (const { subnetId, zone } of placed) {
      const before = loadBalancer.subnets.find((each) => each.zone === zone);
      if (before !== undefined && before.subnetId !== subnetId)
        fail(`zone ${zone} has a subnet: take it away first`);
    }
    Object.assign(loadBalancer, { subnets: placed, ipAddressType, state: 'provisioning' });
  }

  #setSecurityGroups({ name, securityGroups, withManagedSecurityGroup }: Of<'SetSecurityGroups'>): void {
    const loadBalancer = this.#loadBalancer(name);
    const groups = [...securityGroups, ...(withManagedSecurityGroup ? [this.#group().id] : [])];
    if (loadBalancer.securityGroups.length === 0) fail('made without security groups, it never gets any');
    if (groups.length === 0) fail('it keeps one security group at least');
    loadBalancer.securityGroups = groups;
  }

  #createListener({ listener: model, loadBalancer: name, targetGroupName }: Of<'CreateListener'>): void {
    const loadBalancer = this.#loadBalancer(name);
    if (loadBalancer.listeners.some(({ port }) => port === model.port)) fail('DuplicateListener');
    if (loadBalancer.listeners.length >= 50) fail('TooManyListeners');
    const group = this.#groupFor(name, model.protocol, targetGroupName);
    loadBalancer.listeners.push({
      arn: this.#id('arn:listener'),
      key: model.tags[OWNER_TAGS.resource],
      member: model.tags[OWNER_TAGS.member],
      port: model.port,
      protocol: model.protocol,
      certificates: [...model.certificates],
      sslPolicy: model.sslPolicy,
      alpnPolicy: model.alpnPolicy,
      attributes: {},
      targetGroupArn: group.arn,
      tags: { ...model.tags },
    });
  }

  /** A target group serves one load balancer, and listeners of its own protocol. */
  #groupFor(loadBalancer: string, protocol: string, name: string): ObservedTargetGroup {
    const group = this.#targetGroup(name);
    const others = this.loadBalancers.filter((each) => each.name !== loadBalancer);
    if (others.some(({ listeners }) => listeners.some((each) => each.targetGroupArn === group.arn))) {
      fail('TargetGroupAssociationLimit');
    }
    const fitting = protocol === 'TLS' ? ['TCP', 'TLS'] : [protocol];
    if (!fitting.includes(group.protocol))
      fail(`a listener of ${protocol} has no target group of ${group.protocol}`);
    return group;
  }

  /** What isn't said stays as it is. */
  #modifyListener({
    formerProtocol,
    listener: model,
    loadBalancer,
    targetGroupName,
  }: Of<'ModifyListener'>): void {
    const protocol = formerProtocol ?? model.protocol;
    const found = this.#listener({ loadBalancer, port: model.port, protocol });
    if (model.protocol === 'TLS' && model.certificates.length === 0) fail('CertificateNotFound');
    found.protocol = model.protocol;
    found.targetGroupArn = this.#groupFor(loadBalancer, model.protocol, targetGroupName).arn;
    found.certificates = [...model.certificates];
    found.sslPolicy = model.protocol === 'TLS' ? (model.sslPolicy ?? found.sslPolicy) : undefined;
    found.alpnPolicy = model.protocol === 'TLS' ? (model.alpnPolicy ?? found.alpnPolicy) : undefined;
  }

  #addTags({ of, tags }: Of<'AddTags'>): void {
    if (of.kind === 'LoadBalancer' && this.adoptable?.name === of.name) {
      this.loadBalancers.push(this.adoptable);
      this.adoptable = undefined;
    }
    const thing = this.#tagged(of);
    Object.assign(thing.tags, tags);
    if (of.kind === 'LoadBalancer')
      this.#loadBalancer(of.name).variant = thing.tags[OWNER_TAGS.variant] ?? '';
    if (of.kind === 'Listener') {
      const listener = this.#listener(of);
      Object.assign(listener, {
        key: thing.tags[OWNER_TAGS.resource],
        member: thing.tags[OWNER_TAGS.member],
      });
    }
  }

  #handBack(name: string): void {
    const loadBalancer = this.#loadBalancer(name);
    if (loadBalancer.tags[OWNER_TAGS.stack] !== undefined) return;
    this.loadBalancers = this.loadBalancers.filter((each) => each !== loadBalancer);
    this.adoptable = loadBalancer;
  }

  #tagged(of: TaggedThing): { tags: Record<string, string> } | ObservedListener {
    switch (of.kind) {
      case 'LoadBalancer':
        return this.#loadBalancer(of.name);
      case 'TargetGroup':
        return this.#targetGroup(of.name);
      case 'Listener':
        return this.#listener(of);
      case 'SecurityGroup':
        return this.#group();
    }
  }
}

function asObserved(model: TargetGroupModel, arn: string): ObservedTargetGroup {
  const { healthCheck, ipAddressType, key, name, port, protocol, tags, targetType } = model;
  return {
    arn,
    key,
    member: tags[OWNER_TAGS.member] ?? '',
    name,
    protocol,
    port,
    targetType,
    ipAddressType,
    healthCheck: { ...healthCheck },
    attributes: {},
    tags: { ...tags },
    targets: [],
  };
}

function isSame(a: { id: string; port: number }, b: { id: string; port: number }): boolean {
  return a.id === b.id && a.port === b.port;
}

function ruleKey({ cidr, fromPort, protocol, toPort }: ObservedSecurityGroup['ingress'][number]): string {
  return `${protocol} ${fromPort} ${toPort} ${cidr}`;
}

function fail(why: string): never {
  throw new Error(`AWS refuses: ${why}`);
}
