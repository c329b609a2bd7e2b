import type { AwsPeer } from '../../../peers/aws/aws-peer.ts';
import { objects, type Plain, type PlainObject, text, texts } from '../../../peers/aws/plain.ts';

/** `{ Key, Value }` of tags and attributes, by key. */
function pairs(list: Plain | undefined): Record<string, string> {
  const sorted = objects(list)
    .map((each) => [text(each.Key ?? each.key), text(each.Value ?? each.value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted);
}

/** All that an account has of load balancers, as text by name: what is as before is the same text. */
export class Snapshot {
  readonly #peer: AwsPeer;

  constructor(peer: AwsPeer) {
    this.#peer = peer;
  }

  async take(): Promise<Record<string, unknown>> {
    const [loadBalancers, targetGroups, groups] = await Promise.all([
      this.#elb('DescribeLoadBalancers', 'LoadBalancers'),
      this.#elb('DescribeTargetGroups', 'TargetGroups'),
      this.#peer.ec2('DescribeSecurityGroups'),
    ]);
    const names = new Map(
      targetGroups.map((each) => [text(each.TargetGroupArn), text(each.TargetGroupName)]),
    );
    const entries = await Promise.all([
      ...loadBalancers.map((each) => this.#loadBalancer(each, names)),
      ...targetGroups.map((each) => this.#targetGroup(each)),
      ...objects(groups.securityGroupInfo).map(readGroup),
    ]);
    return Object.fromEntries(entries);
  }

  async #elb(operation: string, of: string, parameters: PlainObject = {}): Promise<PlainObject[]> {
    return objects((await this.#peer.elb(operation, parameters))[of]);
  }

  async #tags(arn: string): Promise<Record<string, string>> {
    const [answer] = await this.#elb('DescribeTags', 'TagDescriptions', { ResourceArns: [arn] });
    return pairs(answer?.Tags);
  }

  async #loadBalancer(found: PlainObject, names: Map<string, string>): Promise<[string, unknown]> {
    const LoadBalancerArn = text(found.LoadBalancerArn);
    const [attributes, tags, listeners] = await Promise.all([
      this.#elb('DescribeLoadBalancerAttributes', 'Attributes', { LoadBalancerArn }),
      this.#tags(LoadBalancerArn),
      this.#elb('DescribeListeners', 'Listeners', { LoadBalancerArn }),
    ]);
    const read = await Promise.all(listeners.map((each) => this.#listener(each, names)));
    return [
      `load balancer ${text(found.LoadBalancerName)}`,
      {
        scheme: text(found.Scheme),
        ipAddressType: text(found.IpAddressType),
        subnets: objects(found.AvailabilityZones)
          .map(({ SubnetId }) => text(SubnetId))
          .sort(),
        securityGroups: texts(found.SecurityGroups).sort(),
        attributes: pairs(attributes),
        tags,
        listeners: read.sort(([a], [b]) => (a < b ? -1 : 1)),
      },
    ];
  }

  async #listener(found: PlainObject, names: Map<string, string>): Promise<[string, unknown]> {
    const ListenerArn = text(found.ListenerArn);
    const [attributes, tags, certificates] = await Promise.all([
      this.#elb('DescribeListenerAttributes', 'Attributes', { ListenerArn }),
      this.#tags(ListenerArn),
      this.#elb('DescribeListenerCertificates', 'Certificates', { ListenerArn }),
    ]);
    const [action] = objects(found.DefaultActions);
    return [
      `${text(found.Protocol)} ${text(found.Port)}`,
      {
        certificates: certificates.map(({ CertificateArn }) => text(CertificateArn)).sort(),
        sslPolicy: text(found.SslPolicy),
        alpnPolicy: found.AlpnPolicy ?? [],
        targetGroup: names.get(text(action?.TargetGroupArn)),
        attributes: pairs(attributes),
        tags,
      },
    ];
  }

  async #targetGroup(found: PlainObject): Promise<[string, unknown]> {
    const TargetGroupArn = text(found.TargetGroupArn);
    const [attributes, tags, targets] = await Promise.all([
      this.#elb('DescribeTargetGroupAttributes', 'Attributes', { TargetGroupArn }),
      this.#tags(TargetGroupArn),
      this.#elb('DescribeTargetHealth', 'TargetHealthDescriptions', { TargetGroupArn }),
    ]);
    const there = targets.flatMap(({ Target, TargetHealth }) => {
      const [target] = objects([Target ?? {}]);
      const [health] = objects([TargetHealth ?? {}]);
      return text(health?.State) === 'draining' ? [] : [`${text(target?.Id)}:${text(target?.Port)}`];
    });
    const check = Object.entries(found).filter(([key]) => /^HealthCheck|Threshold|^Matcher/.test(key));
    return [
      `target group ${text(found.TargetGroupName)}`,
      {
        check: Object.fromEntries(check.sort(([a], [b]) => (a < b ? -1 : 1))),
        attributes: pairs(attributes),
        tags,
        targets: there.sort(),
      },
    ];
  }
}

function readGroup(found: PlainObject): [string, unknown] {
  const rules = objects(found.ipPermissions).flatMap((each) => {
    const sources = [
      ...objects(each.ipRanges).map(({ cidrIp }) => text(cidrIp)),
      ...objects(each.groups).map(({ groupId }) => text(groupId)),
    ];
    return sources.map(
      (who) => `${text(each.ipProtocol)} ${text(each.fromPort)}-${text(each.toPort)} ${who}`,
    );
  });
  return [`security group ${text(found.groupId)}`, { rules: rules.sort(), tags: pairs(found.tagSet) }];
}
