import { arch, release } from 'node:os';
import type { Node } from '../../../kube/objects.ts';
import type { LabNode } from '../network/addresses.ts';

/** A Node with the fields that only a kubelet writes. */
type FullNode = Node & {
  spec: NonNullable<Node['spec']> & { podCIDR: string };
  status: NonNullable<Node['status']> & {
    capacity: Record<string, string>;
    allocatable: Record<string, string>;
    nodeInfo: Record<string, string>;
  };
};

/** The Node object of a lab node, as a kubelet registers it. `now` is RFC 3339. */
export function buildNode(node: LabNode, now: string): FullNode {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: node.name,
      labels: {
        'kubernetes.io/hostname': node.name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': arch() === 'x64' ? 'amd64' : arch(),
        'topology.kubernetes.io/zone': `zone-${node.number}`,
      },
    },
    spec: { podCIDR: node.podCidr.v4, podCIDRs: [node.podCidr.v4, node.podCidr.v6] },
    status: buildNodeStatus(node, now, now),
  };
}

/** Node status with every pressure away: a heartbeat. Times are RFC 3339; `since` is when the Node became Ready. */
export function buildNodeStatus(node: LabNode, now: string, since: string): FullNode['status'] {
  const resources = { cpu: '8', memory: '16Gi', pods: '250', 'ephemeral-storage': '100Gi' };
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: now,
    lastTransitionTime: since,
  });
  return {
    capacity: resources,
    allocatable: resources,
    addresses: [
      { type: 'InternalIP', address: node.internal.v4 },
      { type: 'InternalIP', address: node.internal.v6 },
      { type: 'Hostname', address: node.name },
    ],
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'the lab counts no memory'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'the lab counts no disk'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'the lab counts no processes'),
      condition('Ready', 'True', 'KubeletReady', 'the lab kubelet is posting ready status'),
    ],
    nodeInfo: {
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      bootID: '',
      machineID: '',
      systemUUID: '',
      containerRuntimeVersion: 'netns://0',
      kernelVersion: release(),
      kubeletVersion: 'v1.36.3-lab',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      osImage: 'Fairlead lab',
    },
  };
}
