import type { AwsConfig, AwsOptions } from '../../../../../crds/aws-provider.ts';
import type { LoadBalancerSpec } from '../../../../../crds/load-balancer.ts';
import type { ObservedNetwork, ObservedSubnet } from '../../../../../providers/aws/observed.ts';
import type { DesiredLoadBalancer, ProviderScope, TargetNode } from '../../../../../providers/provider.ts';

export const CLUSTER_ID = 'c-1';

export function providerWith(aws: Partial<AwsConfig> = {}): ProviderScope {
  return {
    name: 'nlb',
    spec: {
      default: false,
      scheme: 'Public',
      targets: { mode: 'NodePort', drainSeconds: 30 },
      drift: { policy: 'Repair', intervalSeconds: 300 },
      deletion: 'Delete',
      aws: { region: 'eu-central-1', ...aws },
    },
  };
}

/** A Service `web` of the namespace `shop`: TCP 80 over node port 30080. */
export function specWith(spec: Partial<LoadBalancerSpec> = {}, service = 'web'): LoadBalancerSpec {
  return {
    service: { name: service, uid: `uid-${service}` },
    provider: { name: 'nlb', type: 'aws' },
    scheme: 'Public',
    frontends: [{ protocol: 'TCP', port: 80, nodePort: 30080 }],
    targets: { mode: 'NodePort', drainSeconds: 30 },
    externalTrafficPolicy: 'Cluster',
    ...spec,
  };
}

export interface DesiredOptions {
  spec?: Partial<LoadBalancerSpec>;
  aws?: AwsOptions;
  service?: string;
  nodes?: TargetNode[];
  pods?: DesiredLoadBalancer['pods'];
  provider?: Partial<AwsConfig>;
  /** Of those that share, oldest first. */
  sharedWith?: DesiredLoadBalancer['sharedWith'];
}

export function desiredWith(options: DesiredOptions = {}): DesiredLoadBalancer {
  const {
    aws,
    nodes = [nodeOf(1), nodeOf(2)],
    pods = [],
    provider,
    service = 'web',
    sharedWith = [],
  } = options;
  const spec = { ...specWith(options.spec, service), ...(aws === undefined ? {} : { aws }) };
  const { sharedAddress } = spec;
  return {
    id: idOf(service),
    provider: providerWith(provider),
    ...(sharedAddress === undefined ? {} : { sharedAddress }),
    spec,
    nodes,
    pods,
    sharedWith,
  };
}

export function idOf(service: string): DesiredLoadBalancer['id'] {
  return { clusterId: CLUSTER_ID, namespace: 'shop', name: `${service}.nlb`, serviceUid: `uid-${service}` };
}

export function nodeOf(index: number): TargetNode {
  return {
    name: `node-${index}`,
    providerID: `aws:///eu-central-1a/i-0${index}`,
    addresses: [`10.0.0.${index}`],
    draining: false,
  };
}

export function subnetOf(index: number, rest: Partial<ObservedSubnet> = {}): ObservedSubnet {
  return {
    id: `subnet-${index}`,
    name: undefined,
    zone: `eu-central-1${'abc'[index % 3]}`,
    vpcId: 'vpc-1',
    availableAddresses: 200,
    hasIPv6: true,
    tags: { 'kubernetes.io/role/elb': '1', 'kubernetes.io/role/internal-elb': '1' },
    ...rest,
  };
}

/** Six subnets, two in each of three zones; the first three are tagged for load balancers. */
export const NETWORK: ObservedNetwork = {
  vpcId: 'vpc-1',
  subnets: [0, 1, 2, 3, 4, 5].map((index) => subnetOf(index, index < 3 ? {} : { tags: {} })),
};
