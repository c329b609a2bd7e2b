import type { IpPermission } from '@aws-sdk/client-ec2';
import { readTags } from '../../../../../providers/aws/observe/read-answers.ts';
import { type Account, type Handlers, type HealthCheck, type Input, readsOf } from './fake-account.ts';

/** A call that changed something, with the things that were there before and that it was about. */
export interface Write {
  operation: string;
  /** ARNs and ids. */
  touched: string[];
}

/**
 * An account that is changed as AWS changes it: names and ports that are taken, what is used, what isn't there are refused.
 * Everything is ready at once. Keeps what each write was about.
 */
export class LiveAccount {
  readonly account: Account;
  readonly writes: Write[] = [];
  readonly handlers: Handlers;
  #made = 0;

  constructor(account: Account) {
    this.account = account;
    this.handlers = { ...readsOf(account), ...this.#reads(), ...this.#elbWrites(), ...this.#ec2Writes() };
  }

  /** The tags of a thing that is there. */
  tagsOf(id: string): Record<string, string> | undefined {
    return this.#tagged(id)?.tags;
  }

  #tagged(id: string): { tags: Record<string, string> } | undefined {
    const { loadBalancers, securityGroups, targetGroups } = this.account;
    return (
      loadBalancers.find(({ LoadBalancerArn }) => LoadBalancerArn === id) ??
      loadBalancers.flatMap(({ listeners }) => listeners).find(({ ListenerArn }) => ListenerArn === id) ??
      targetGroups.find(({ TargetGroupArn }) => TargetGroupArn === id) ??
      securityGroups.find(({ GroupId }) => GroupId === id)
    );
  }

  #id(what: string): string {
    this.#made++;
    return `${what}-made-${this.#made}`;
  }

  #wrote(operation: string, ...touched: (string | undefined)[]): void {
    this.writes.push({ operation, touched: touched.filter((each) => each !== undefined) });
  }

  #loadBalancer(arn: string | undefined) {
    const found = this.account.loadBalancers.find((each) => each.LoadBalancerArn === arn);
    return found ?? refuse('LoadBalancerNotFound', String(arn));
  }

  #targetGroup(arn: string | undefined) {
    const found = this.account.targetGroups.find((each) => each.TargetGroupArn === arn);
    return found ?? refuse('TargetGroupNotFound', String(arn));
  }

  #group(id: string | undefined) {
    const found = this.account.securityGroups.find((each) => each.GroupId === id);
    return found ?? refuse('InvalidGroup.NotFound', String(id));
  }

  #listener(arn: string | undefined) {
    for (const loadBalancer of this.account.loadBalancers) {
      const listener = loadBalancer.listeners.find((each) => each.ListenerArn === arn);
      if (listener !== undefined) return { listener, loadBalancer };
    }
    return refuse('ListenerNotFound', String(arn));
  }

  #reads(): Handlers {
    const { account } = this;
    const asList = (tags: Record<string, string>) =>
      Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    return {
      describeLoadBalancers: ({ LoadBalancerArns, Names }) => ({
        LoadBalancers: account.loadBalancers.filter(
          ({ LoadBalancerArn = '', LoadBalancerName = '' }) =>
            (LoadBalancerArns?.includes(LoadBalancerArn) ?? true) &&
            (Names?.includes(LoadBalancerName) ?? true),
        ),
      }),
      describeTargetGroups: ({ Names }) => ({
        TargetGroups: account.targetGroups.filter(
          ({ TargetGroupName = '' }) => Names?.includes(TargetGroupName) ?? true,
        ),
      }),
      describeSecurityGroups: ({ Filters = [], GroupIds }) => {
        const found = account.securityGroups.filter(
          (group) =>
            (GroupIds?.includes(group.GroupId) ?? true) &&
            Filters.every(({ Name = '', Values = [] }) => fits(group, Name, Values)),
        );
        return { SecurityGroups: found.map((each) => ({ ...each, Tags: asList(each.tags) })) };
      },
      describeInstances: ({ Filters = [] }) => ({
        Reservations: [
          {
            Instances: (Filters[0]?.Values ?? []).map((InstanceId) => ({
              InstanceId,
              SecurityGroups: [{ GroupId: NODES }],
            })),
          },
        ],
      }),
    };
  }

  #elbWrites(): Handlers {
    const { account } = this;
    const change = (operation: string, arn: string | undefined) => {
      this.#wrote(operation, arn);
      return {};
    };
    return {
      createLoadBalancer: (input) => this.#createLoadBalancer(input),
      createTargetGroup: (input) => this.#createTargetGroup(input),
      createListener: (input) => this.#createListener(input),
      modifyListener: ({ DefaultActions, ListenerArn, Protocol }) => {
        const { listener, loadBalancer } = this.#listener(ListenerArn);
        if (DefaultActions !== undefined) listener.DefaultActions = DefaultActions;
        if (Protocol !== undefined) listener.Protocol = Protocol;
        this.#wrote('modifyListener', ListenerArn, loadBalancer.LoadBalancerArn, groupOf(DefaultActions));
        return { Listeners: [listener] };
      },
      deleteListener: ({ ListenerArn }) => {
        const { listener, loadBalancer } = this.#listener(ListenerArn);
        this.#wrote('deleteListener', ListenerArn, loadBalancer.LoadBalancerArn);
        loadBalancer.listeners = loadBalancer.listeners.filter((each) => each !== listener);
        return {};
      },
      deleteLoadBalancer: ({ LoadBalancerArn }) => {
        const gone = this.#loadBalancer(LoadBalancerArn);
        this.#wrote('deleteLoadBalancer', LoadBalancerArn);
        account.loadBalancers = account.loadBalancers.filter((each) => each !== gone);
        return {};
      },
      deleteTargetGroup: ({ TargetGroupArn }) => {
        const gone = this.#targetGroup(TargetGroupArn);
        const isUsed = account.loadBalancers.some(({ listeners }) =>
          listeners.some(({ DefaultActions }) => groupOf(DefaultActions) === TargetGroupArn),
        );
        if (isUsed) return refuse('ResourceInUse', String(TargetGroupArn));
        this.#wrote('deleteTargetGroup', TargetGroupArn);
        account.targetGroups = account.targetGroups.filter((each) => each !== gone);
        return {};
      },
      registerTargets: ({ TargetGroupArn, Targets = [] }) => {
        const group = this.#targetGroup(TargetGroupArn);
        const kept = group.targets.filter(({ Target }) => !Targets.some((each) => isSame(each, Target)));
        const added = Targets.map((Target) => ({ Target, TargetHealth: { State: 'healthy' as const } }));
        group.targets = [...kept, ...added];
        return change('registerTargets', TargetGroupArn);
      },
      deregisterTargets: ({ TargetGroupArn, Targets = [] }) => {
        const group = this.#targetGroup(TargetGroupArn);
        group.targets = group.targets.filter(({ Target }) => !Targets.some((each) => isSame(each, Target)));
        return change('deregisterTargets', TargetGroupArn);
      },
      modifyTargetGroup: ({ TargetGroupArn, ...rest }) => {
        Object.assign(this.#targetGroup(TargetGroupArn), healthCheckOf(rest));
        return change('modifyTargetGroup', TargetGroupArn);
      },
      modifyTargetGroupAttributes: ({ TargetGroupArn }) =>
        change('modifyTargetGroupAttributes', TargetGroupArn),
      modifyLoadBalancerAttributes: ({ LoadBalancerArn }) =>
        change('modifyLoadBalancerAttributes', LoadBalancerArn),
      setSubnets: ({ LoadBalancerArn, Subnets = [] }) => {
        this.#loadBalancer(LoadBalancerArn).AvailabilityZones = zonesOf(Subnets);
        this.#wrote('setSubnets', LoadBalancerArn);
        return { AvailabilityZones: zonesOf(Subnets) };
      },
      setSecurityGroups: ({ LoadBalancerArn, SecurityGroups = [] }) => {
        this.#loadBalancer(LoadBalancerArn).SecurityGroups = SecurityGroups;
        this.#wrote('setSecurityGroups', LoadBalancerArn, ...SecurityGroups);
        return { SecurityGroupIds: SecurityGroups };
      },
      addTags: ({ ResourceArns = [], Tags }) => {
        this.#wrote('addTags', ...ResourceArns);
        for (const arn of ResourceArns) Object.assign(this.#tagged(arn)?.tags ?? {}, readTags(Tags));
        return {};
      },
      removeTags: ({ ResourceArns = [], TagKeys = [] }) => {
        this.#wrote('removeTags', ...ResourceArns);
        for (const arn of ResourceArns) for (const key of TagKeys) delete this.#tagged(arn)?.tags[key];
        return {};
      },
    };
  }

  #createLoadBalancer({ Name = '', Scheme, SecurityGroups = [], Subnets = [], Tags }: Input) {
    const { loadBalancers } = this.account;
    if (loadBalancers.some(({ LoadBalancerName }) => LoadBalancerName === Name)) {
      return refuse('DuplicateLoadBalancerName', Name);
    }
    const made: Account['loadBalancers'][number] = {
      LoadBalancerArn: this.#id('arn:lb'),
      LoadBalancerName: Name,
      Type: 'network',
      State: { Code: 'active' },
      VpcId: 'vpc-1',
      DNSName: `${Name}.example`,
      SecurityGroups,
      AvailabilityZones: zonesOf(Subnets),
      ...(Scheme === undefined ? {} : { Scheme }),
      tags: readTags(Tags),
      listeners: [],
    };
    this.#wrote('createLoadBalancer', ...SecurityGroups);
    loadBalancers.push(made);
    return { LoadBalancers: [made] };
  }

  #createTargetGroup({ Name = '', Port, Protocol, Tags, ...rest }: Input) {
    const { targetGroups } = this.account;
    if (targetGroups.some(({ TargetGroupName }) => TargetGroupName === Name)) {
      return refuse('DuplicateTargetGroupName', Name);
    }
    const made: Account['targetGroups'][number] = {
      TargetGroupArn: this.#id('arn:tg'),
      TargetGroupName: Name,
      TargetType: 'instance',
      ...healthCheckOf(rest),
      ...(Protocol === undefined ? {} : { Protocol }),
      ...(Port === undefined ? {} : { Port }),
      tags: readTags(Tags),
      targets: [],
    };
    this.#wrote('createTargetGroup');
    targetGroups.push(made);
    return { TargetGroups: [made] };
  }

  #createListener({ DefaultActions = [], LoadBalancerArn, Port, Protocol, Tags }: Input) {
    const { listeners } = this.#loadBalancer(LoadBalancerArn);
    if (listeners.some((each) => each.Port === Port)) return refuse('DuplicateListener', String(Port));
    const group = groupOf(DefaultActions);
    this.#targetGroup(group);
    this.#wrote('createListener', LoadBalancerArn, group);
    const made = {
      ListenerArn: this.#id('arn:listener'),
      DefaultActions,
      ...(Port === undefined ? {} : { Port }),
      ...(Protocol === undefined ? {} : { Protocol }),
      tags: readTags(Tags),
    };
    listeners.push(made);
    return { Listeners: [made] };
  }

  #ec2Writes(): Handlers {
    const { account } = this;
    return {
      createSecurityGroup: ({ GroupName = '', TagSpecifications = [] }) => {
        if (account.securityGroups.some((each) => each.GroupName === GroupName)) {
          return refuse('InvalidGroup.Duplicate', GroupName);
        }
        const made = {
          GroupId: this.#id('sg'),
          GroupName,
          VpcId: 'vpc-1',
          tags: readTags(TagSpecifications[0]?.Tags),
        };
        this.#wrote('createSecurityGroup');
        account.securityGroups.push(made);
        return { GroupId: made.GroupId };
      },
      authorizeSecurityGroupIngress: ({ GroupId, IpPermissions = [] }) => {
        const group = this.#group(GroupId);
        this.#wrote('authorizeSecurityGroupIngress', GroupId);
        group.IpPermissions = [...(group.IpPermissions ?? []), ...IpPermissions];
        return {};
      },
      revokeSecurityGroupIngress: ({ GroupId, IpPermissions = [] }) => {
        const group = this.#group(GroupId);
        const gone = new Set(IpPermissions.map(permissionKey));
        this.#wrote('revokeSecurityGroupIngress', GroupId);
        group.IpPermissions = (group.IpPermissions ?? []).filter((each) => !gone.has(permissionKey(each)));
        return {};
      },
      deleteSecurityGroup: ({ GroupId }) => {
        const gone = this.#group(GroupId);
        const isUsed =
          account.loadBalancers.some(({ SecurityGroups = [] }) => SecurityGroups.includes(gone.GroupId)) ||
          account.securityGroups.some(
            (each) => each !== gone && fits(each, 'ip-permission.group-id', [gone.GroupId]),
          );
        if (isUsed) return refuse('DependencyViolation', gone.GroupId);
        this.#wrote('deleteSecurityGroup', GroupId);
        account.securityGroups = account.securityGroups.filter((each) => each !== gone);
        return {};
      },
      createTags: ({ Resources = [], Tags }) => {
        this.#wrote('createTags', ...Resources);
        for (const id of Resources) Object.assign(this.#group(id).tags, readTags(Tags));
        return {};
      },
    };
  }
}

/** The security group of all instances. */
export const NODES = 'sg-of-nodes';

function refuse(code: string, message: string): never {
  throw Object.assign(new Error(message), {
    name: code,
    $fault: 'client',
    $metadata: { httpStatusCode: 400 },
  });
}

function zonesOf(subnets: readonly string[]) {
  return subnets.map((SubnetId) => ({
    SubnetId,
    ZoneName: `eu-central-1${'abc'[Number(SubnetId.at(-1)) % 3]}`,
  }));
}

function healthCheckOf(input: HealthCheck): HealthCheck {
  const { HealthCheckPath, HealthCheckPort, HealthCheckProtocol, Matcher } = input;
  const { HealthCheckIntervalSeconds, HealthCheckTimeoutSeconds } = input;
  const { HealthyThresholdCount, UnhealthyThresholdCount } = input;
  return {
    ...{ HealthCheckPath, HealthCheckPort, HealthCheckProtocol, Matcher },
    ...{ HealthCheckIntervalSeconds, HealthCheckTimeoutSeconds },
    ...{ HealthyThresholdCount, UnhealthyThresholdCount },
  };
}

function groupOf(actions: Input['DefaultActions']): string | undefined {
  return actions?.[0]?.TargetGroupArn;
}

function isSame(
  a: { Id?: string | undefined; Port?: number | undefined },
  b: { Id?: string | undefined; Port?: number | undefined } | undefined,
): boolean {
  return a.Id === b?.Id && a.Port === b?.Port;
}

/** The filters that are ever asked for. */
function fits(group: Account['securityGroups'][number], name: string, values: readonly string[]): boolean {
  if (name === 'vpc-id') return values.includes(group.VpcId);
  if (name === 'group-name') return values.includes(group.GroupName);
  if (name.startsWith('tag:')) return values.includes(group.tags[name.slice('tag:'.length)] ?? '');
  if (name === 'tag-key')
    return Object.keys(group.tags).some((key) => values.some((each) => isLike(key, each)));
  if (name !== 'ip-permission.group-id') throw new Error(`the filter ${name} isn't known here`);
  const sources = (group.IpPermissions ?? []).flatMap(({ UserIdGroupPairs = [] }) => UserIdGroupPairs);
  return sources.some(({ GroupId = '' }) => values.includes(GroupId));
}

/** With `*` at the end for anything. */
function isLike(key: string, pattern: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}

function permissionKey({
  FromPort,
  IpProtocol,
  IpRanges = [],
  Ipv6Ranges = [],
  ToPort,
  UserIdGroupPairs = [],
}: IpPermission) {
  const sources = [
    ...IpRanges.map(({ CidrIp }) => CidrIp),
    ...Ipv6Ranges.map(({ CidrIpv6 }) => CidrIpv6),
    ...UserIdGroupPairs.map(({ GroupId }) => GroupId),
  ];
  return JSON.stringify([IpProtocol, FromPort, ToPort, sources]);
}
