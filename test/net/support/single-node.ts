import type { KubeClient } from '../../../kube/client.ts';
import type { EndpointSlice } from '../../../kube/objects.ts';
import { ENDPOINT_SLICES, NODES, SERVICES } from '../../../kube/resources.ts';
import { ipBatch, run } from './run.ts';

/** A node in a network namespace, one hop from the API server of this one, with a pod's address of its own. */
export interface SingleNode {
  /** Name of the namespace, and of the link that leads there. */
  netns: string;
  /** This side of the link. */
  host: string;
  address: string;
  pod: string;
}

export async function makeSingleNode({ netns, host, address, pod }: SingleNode): Promise<void> {
  await ipBatch([
    `netns add ${netns}`,
    `link add ${netns} type veth peer name eth0 netns ${netns}`,
    `addr add ${host}/24 dev ${netns}`,
    `link set ${netns} up`,
  ]);
  await ipBatch(
    [
      'link set lo up',
      `addr add ${address}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${host}`,
      `addr add ${pod}/32 dev lo`,
    ],
    netns,
  );
}

export async function removeSingleNode({ netns }: SingleNode): Promise<void> {
  await run('ip', 'netns', 'del', netns);
  await run('ip', 'link', 'del', netns).catch(() => {});
}

/** Node `node-a`, and the Service `web` before the pod's port 8080. */
export async function createWeb(client: KubeClient, { pod }: SingleNode, clusterIP: string): Promise<void> {
  await client.create(NODES, { metadata: { name: 'node-a' } });
  await client.create(SERVICES, {
    metadata: { name: 'web', namespace: 'default' },
    spec: { clusterIP, ports: [{ name: 'http', port: 80 }] },
  });
  await client.create(ENDPOINT_SLICES, sliceOf('web', 'http', pod));
}

/** The slice `<service>-1`, of one endpoint at port 8080. */
export function sliceOf(service: string, port: string, address: string): EndpointSlice {
  return {
    metadata: {
      name: `${service}-1`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    ports: [{ name: port, protocol: 'TCP', port: 8080 }],
    endpoints: [{ addresses: [address] }],
  };
}
