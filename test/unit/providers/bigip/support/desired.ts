import { loadBalancerProviderSpecSchema } from '../../../../../crds/load-balancer-provider.ts';
import type { DesiredLoadBalancer, LoadBalancerId, TargetNode } from '../../../../../providers/provider.ts';

export const CLUSTER = '8a7b6c5d-0000-4000-8000-000000000001';
export const TENANT = 'fairlead_8a7b6c5d';

export interface Wishes {
  name?: string;
  uid?: string;
  /** Of nodes that are there. */
  nodes?: readonly string[];
  port?: number;
  address?: string;
  drainSeconds?: number;
  /** Members of `spec.bigip`, beside those that must be. */
  bigip?: Record<string, unknown>;
}

/** A Service with one TCP port over node ports. */
export function desire(wishes: Wishes = {}): DesiredLoadBalancer {
  const {
    address = '198.51.100.10',
    drainSeconds = 30,
    name = 'web',
    nodes = ['10.0.0.1'],
    port = 80,
  } = wishes;
  const id: LoadBalancerId = {
    clusterId: CLUSTER,
    namespace: 'default',
    name: `${name}.f5`,
    serviceUid: wishes.uid ?? `uid-${name}`,
  };
  const spec = loadBalancerProviderSpecSchema.parse({
    bigip: { devices: ['192.0.2.5'], credentials: { secretName: 'f5' }, ...wishes.bigip },
  });
  return {
    id,
    provider: { name: 'f5', spec },
    spec: {
      service: { name, uid: id.serviceUid },
      provider: { name: 'f5', type: 'bigip' },
      scheme: 'Public',
      addresses: [{ address, family: 'IPv4', pool: 'office' }],
      frontends: [{ protocol: 'TCP', port, nodePort: 30_000 + (port % 1000) }],
      targets: { mode: 'NodePort', drainSeconds },
      externalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
    },
    nodes: nodes.map(nodeAt),
    pods: [],
    sharedWith: [],
  };
}

function nodeAt(address: string): TargetNode {
  return { name: `node-${address}`, addresses: [address], draining: false };
}
