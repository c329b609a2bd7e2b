import type { Filter, IpPermission } from '@aws-sdk/client-ec2';
import type {
  Action,
  Listener,
  LoadBalancer,
  LoadBalancerSchemeEnum,
  ProtocolEnum,
  TargetDescription,
  TargetGroup,
  TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsCalls } from '../../../../../providers/aws/calls/call-aws.ts';
import { FairBucket } from '../../../../../providers/aws/calls/fair-bucket.ts';
import type { AwsClients } from '../../../../../providers/aws/calls/operations.ts';
import { Inventory } from '../../../../../providers/aws/observe/inventory.ts';
import { CLUSTER_ID, NETWORK } from './desired.ts';

type Tags = Record<string, string>;

/** What an account has, whoever made it. */
export interface Account {
  loadBalancers: (LoadBalancer & { tags: Tags; listeners: (Listener & { tags: Tags })[] })[];
  targetGroups: (TargetGroup & { tags: Tags; targets: TargetHealthDescription[] })[];
  securityGroups: {
    GroupId: string;
    GroupName: string;
    VpcId: string;
    tags: Tags;
    IpPermissions?: IpPermission[];
  }[];
}

/** Methods of the SDK's clients, by name. */
export type Handlers = Record<string, (input: Input) => unknown>;

/** The way to an account that is only read: any call that would change it throws. */
export function inventoryOf(account: Account): Inventory {
  return inventoryWith(readsOf(account));
}

/** As the account is at the moment of each call. */
export function readsOf(account: Account): Handlers {
  const tagsByArn = () => {
    const byArn = new Map<string, Tags>();
    for (const { LoadBalancerArn = '', listeners, tags } of account.loadBalancers) {
      byArn.set(LoadBalancerArn, tags);
      for (const { ListenerArn = '', tags: own } of listeners) byArn.set(ListenerArn, own);
    }
    for (const { TargetGroupArn = '', tags } of account.targetGroups) byArn.set(TargetGroupArn, tags);
    return byArn;
  };
  const asList = (tags: Tags) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    describeLoadBalancers: ({ LoadBalancerArns }) => ({
      LoadBalancers: account.loadBalancers.filter(
        ({ LoadBalancerArn = '' }) => LoadBalancerArns?.includes(LoadBalancerArn) ?? true,
      ),
    }),
    describeTargetGroups: () => ({ TargetGroups: account.targetGroups }),
    describeTags: ({ ResourceArns = [] }) => {
      const byArn = tagsByArn();
      return {
        TagDescriptions: ResourceArns.map((arn) => ({
          ResourceArn: arn,
          Tags: asList(byArn.get(arn) ?? {}),
        })),
      };
    },
    describeListeners: ({ LoadBalancerArn }) => ({
      Listeners:
        account.loadBalancers.find((each) => each.LoadBalancerArn === LoadBalancerArn)?.listeners ?? [],
    }),
    describeListenerCertificates: () => ({ Certificates: [] }),
    describeListenerAttributes: () => ({ Attributes: [] }),
    describeLoadBalancerAttributes: () => ({ Attributes: [] }),
    describeTargetGroupAttributes: () => ({ Attributes: [] }),
    describeTargetHealth: ({ TargetGroupArn }) => ({
      TargetHealthDescriptions:
        account.targetGroups.find((each) => each.TargetGroupArn === TargetGroupArn)?.targets ?? [],
    }),
    describeSecurityGroups: () => ({
      SecurityGroups: account.securityGroups.map((each) => ({ ...each, Tags: asList(each.tags) })),
    }),
    describeSubnets: () => ({
      Subnets: NETWORK.subnets.map(({ availableAddresses, id, tags, vpcId, zone }) => ({
        SubnetId: id,
        AvailabilityZone: zone,
        VpcId: vpcId,
        AvailableIpAddressCount: availableAddresses,
        Tags: asList(tags),
      })),
    }),
  };
}

/** A cluster's inventory of an account that answers like this; whatever else is called throws. */
export function inventoryWith(handlers: Handlers): Inventory {
  const client = new Proxy(
    {},
    {
      get: (_, name) => async (input: Input) => {
        const read = typeof name === 'string' ? handlers[name] : undefined;
        if (read === undefined) throw new Error(`${String(name)} may not be called`);
        return read(input);
      },
    },
  );
  const bucket = new FairBucket({ perSecond: 1e6, burst: 1e6 });
  const calls = new AwsCalls({
    // A client has hundreds of methods, of which these are called.
    clients: { elb: client, ec2: client } as AwsClients,
    region: 'eu-central-1',
    timeoutMs: 10_000,
    account: () => '1',
    buckets: () => ({
      elbRead: bucket,
      elbRegister: bucket,
      elbWrite: bucket,
      ec2Read: bucket,
      ec2Write: bucket,
    }),
    onArn: () => {},
    observe: undefined,
  });
  return new Inventory({ calls, clusterId: CLUSTER_ID, vpcId: 'vpc-1', onArn: () => {} });
}

/** As target groups have it. */
export type HealthCheck = Pick<
  TargetGroup,
  | 'HealthCheckProtocol'
  | 'HealthCheckPort'
  | 'HealthCheckPath'
  | 'HealthCheckIntervalSeconds'
  | 'HealthCheckTimeoutSeconds'
  | 'HealthyThresholdCount'
  | 'UnhealthyThresholdCount'
  | 'Matcher'
>;

/** Of the calls that are answered here, as far as they are looked at. */
export interface Input extends HealthCheck {
  DefaultActions?: Action[];
  Filters?: Filter[];
  GroupId?: string;
  GroupIds?: string[];
  GroupName?: string;
  IpPermissions?: IpPermission[];
  ListenerArn?: string;
  LoadBalancerArn?: string;
  LoadBalancerArns?: string[];
  Name?: string;
  Names?: string[];
  Port?: number;
  Protocol?: ProtocolEnum;
  ResourceArns?: string[];
  Resources?: string[];
  Scheme?: LoadBalancerSchemeEnum;
  SecurityGroups?: string[];
  Subnets?: string[];
  TagKeys?: string[];
  Tags?: { Key?: string; Value?: string }[];
  TagSpecifications?: { Tags?: { Key?: string; Value?: string }[] }[];
  TargetGroupArn?: string;
  Targets?: TargetDescription[];
}
