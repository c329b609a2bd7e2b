import type { LoadBalancerSpec } from '../../../../crds/load-balancer.ts';
import type { AwsCall, AwsChange } from '../../../../providers/aws/changes.ts';
import type { AwsModel, TargetModel } from '../../../../providers/aws/model.ts';
import { OWNER_TAGS } from '../../../../providers/aws/tags.ts';
import type { DesiredLoadBalancer, ProviderScope, Subject } from '../../../../providers/provider.ts';
import type { AwsPeer } from '../../../peers/aws/aws-peer.ts';
import type { SeededInstance, SeededNetwork } from '../../../peers/aws/seed-network.ts';

export const CLUSTER_ID = '6f2d0001-cluster';

/** A LoadBalancerProvider that goes to the stand-in. */
export function providerOf(peer: AwsPeer, network: SeededNetwork, name = 'nlb'): ProviderScope {
  return {
    name,
    spec: {
      default: false,
      scheme: 'Internal',
      targets: { mode: 'NodePort', drainSeconds: 30 },
      drift: { policy: 'Repair', intervalSeconds: 300 },
      deletion: 'Delete',
      aws: {
        region: peer.region,
        vpcID: network.vpcId,
        clusterName: network.cluster,
        endpoint: peer.endpoint,
        credentials: { secretName: 'aws' },
      },
    },
  };
}

/** What `readSecret` answers. */
export async function readSecret(): Promise<Record<string, string>> {
  return { aws_access_key_id: 'fairlead', aws_secret_access_key: 'not-a-secret' };
}

export function subjectOf(
  provider: ProviderScope,
  service: string,
  namespace = 'shop',
  clusterId = CLUSTER_ID,
): Subject {
  const id = { clusterId, namespace, name: `${service}.${provider.name}`, serviceUid: `uid-of-${service}` };
  return { id, provider };
}

/** A Service over node port 30080 of these instances, but for what `spec` says. */
export function desireOver(
  provider: ProviderScope,
  instances: readonly SeededInstance[],
  service: string,
  spec: Partial<LoadBalancerSpec> = {},
): DesiredLoadBalancer {
  const subject = subjectOf(provider, service);
  const { sharedAddress } = spec;
  return {
    ...subject,
    ...(sharedAddress === undefined ? {} : { sharedAddress }),
    spec: {
      service: { name: service, uid: subject.id.serviceUid },
      provider: { name: provider.name, type: 'aws' },
      scheme: 'Internal',
      frontends: [{ protocol: 'TCP', port: 80, nodePort: 30080 }],
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster',
      ...spec,
    },
    nodes: instances.map(({ address, id, providerID }) => ({
      name: id,
      providerID,
      addresses: [address],
      draining: false,
    })),
    pods: [],
    sharedWith: [],
  };
}

export interface ModelOptions {
  port?: number;
  nodePort?: number;
  targets?: TargetModel[];
  withSecurityGroup?: boolean;
}

/** One listener to a node port of all instances, as `build` would make it. */
export function modelOf(subject: Subject, network: SeededNetwork, options: ModelOptions = {}): AwsModel {
  const { id, provider, sharedAddress } = subject;
  const { port = 80, nodePort = 30080, withSecurityGroup = true } = options;
  const member = `${id.namespace}/${id.name}`;
  const stack =
    sharedAddress === undefined ? member : `${id.namespace}/${sharedAddress}.${provider.name}:shared`;
  const short = `${id.namespace}-${stack.replace(/[^a-z0-9]/g, '-')}`.slice(-24).replace(/^-+/, '');
  const tags = (resource: string, more: Record<string, string> = {}) => ({
    [OWNER_TAGS.cluster]: id.clusterId,
    [OWNER_TAGS.stack]: stack,
    [OWNER_TAGS.serviceUid]: id.serviceUid,
    [OWNER_TAGS.resource]: resource,
    ...more,
  });
  const key = `tcp-${port}`;
  const ofMember = { [OWNER_TAGS.member]: member };
  const targets =
    options.targets ??
    network.instances.map((each) => ({
      id: each.id,
      port: nodePort,
      zone: undefined,
      pods: [],
      gated: false,
    }));
  return {
    stack,
    member,
    leads: true,
    loadBalancer: {
      name: `lb-${short}`,
      isNamed: false,
      variant: 'v1',
      scheme: 'internal',
      ipAddressType: 'ipv4',
      subnets: { kind: 'given', mappings: network.internalSubnets.map(({ id: subnet }) => ({ subnet })) },
      securityGroups: [],
      attributes: {},
      tags: tags('LoadBalancer', { [OWNER_TAGS.variant]: 'v1' }),
    },
    securityGroup: withSecurityGroup
      ? {
          name: `sg-of-${short}`,
          description: `Load balancer of ${stack}`,
          ingress: [
            { protocol: 'tcp', fromPort: port, toPort: port, cidr: '0.0.0.0/0', description: 'clients' },
          ],
          tags: tags('SecurityGroup'),
          backend: { ports: [{ protocol: 'tcp', fromPort: nodePort, toPort: nodePort }] },
        }
      : undefined,
    listeners: [
      {
        key,
        port,
        protocol: 'TCP',
        certificates: [],
        sslPolicy: undefined,
        alpnPolicy: undefined,
        attributes: {},
        targetGroup: key,
        tags: tags(key, ofMember),
      },
    ],
    targetGroups: [
      {
        key,
        name: `tg-${port}-${short}`,
        protocol: 'TCP',
        port: nodePort,
        targetType: 'instance',
        ipAddressType: 'ipv4',
        healthCheck: {
          protocol: 'TCP',
          port: 'traffic-port',
          path: undefined,
          intervalSeconds: 10,
          timeoutSeconds: 6,
          healthyThreshold: 2,
          unhealthyThreshold: 2,
          matcher: undefined,
        },
        attributes: { 'deregistration_delay.timeout_seconds': '30' },
        targets,
        tags: tags(key, ofMember),
      },
    ],
    foreignNodes: [],
    refusals: [],
  };
}

/** A change, with what people see of it. */
export function change(call: AwsCall): AwsChange {
  const action = call.call.startsWith('Create')
    ? 'Create'
    : call.call.startsWith('Delete')
      ? 'Delete'
      : 'Update';
  return { ...call, action, resource: call.call, summary: call.call };
}

/** All that makes the load balancer of a model, in order. */
export function creation(model: AwsModel, network: SeededNetwork): AwsChange[] {
  const { loadBalancer, securityGroup, listeners, targetGroups } = model;
  const { vpcId } = network;
  const mappings = loadBalancer.subnets.kind === 'given' ? loadBalancer.subnets.mappings : [];
  const calls: AwsCall[] = [];
  if (securityGroup !== undefined) calls.push({ call: 'CreateSecurityGroup', securityGroup, vpcId });
  for (const targetGroup of targetGroups) {
    const { attributes, name, targets } = targetGroup;
    calls.push({ call: 'CreateTargetGroup', targetGroup, vpcId });
    calls.push({ call: 'ModifyTargetGroupAttributes', name, attributes });
    calls.push({ call: 'RegisterTargets', name, targets });
  }
  const withManagedSecurityGroup = securityGroup !== undefined;
  calls.push({ call: 'CreateLoadBalancer', loadBalancer, mappings, withManagedSecurityGroup });
  for (const listener of listeners) {
    const targetGroupName = targetGroups.find(({ key }) => key === listener.targetGroup)?.name ?? '';
    calls.push({ call: 'CreateListener', loadBalancer: loadBalancer.name, listener, targetGroupName });
  }
  if (securityGroup?.backend !== undefined)
    calls.push({ call: 'SyncBackendRules', ports: securityGroup.backend.ports });
  return calls.map(change);
}

/** All that takes it away. */
export function deletion(model: AwsModel): AwsChange[] {
  const { loadBalancer, securityGroup, targetGroups } = model;
  const calls: AwsCall[] = [{ call: 'DeleteLoadBalancer', name: loadBalancer.name }];
  for (const { name } of targetGroups) calls.push({ call: 'DeleteTargetGroup', name });
  if (securityGroup !== undefined)
    calls.push({ call: 'SyncBackendRules', ports: [] }, { call: 'DeleteSecurityGroup' });
  return calls.map(change);
}
