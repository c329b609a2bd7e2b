import type { KubeClient } from '../../../kube/client.ts';
import type { EndpointSlice, Service } from '../../../kube/objects.ts';
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from '../../../kube/resources.ts';

export const NAMESPACE = 'bench';
const CREATORS = 32;

/** Makes Services and their slices of two endpoints each; every tenth Service is of type NodePort. */
export async function createServices(client: KubeClient, count: number): Promise<void> {
  await client.create(NAMESPACES, { metadata: { name: NAMESPACE } });
  let next = 0;
  const work = async () => {
    while (next < count) await createService(client, next++);
  };
  await Promise.all(Array.from({ length: CREATORS }, work));
}

/** Makes a Service with a slice of two endpoints. */
export async function createService(client: KubeClient, index: number): Promise<void> {
  const service: Service = {
    metadata: { name: `service-${index}`, namespace: NAMESPACE },
    spec: {
      type: index % 10 === 0 ? 'NodePort' : 'ClusterIP',
      selector: { app: `app-${index}` },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
    },
  };
  await client.create(SERVICES, service);
  await client.create(ENDPOINT_SLICES, buildSlice(index, [address(index, 0), address(index, 1)]));
}

/** As the endpoints controller writes them, with what pods bring along. */
export function buildSlice(index: number, addresses: readonly string[]): EndpointSlice {
  return {
    metadata: {
      name: `service-${index}-abcde`,
      namespace: NAMESPACE,
      labels: {
        'kubernetes.io/service-name': `service-${index}`,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-11-21T00:00:00Z' },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: addresses.map((each, slot) => ({
      addresses: [each],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${(index + slot) % 100}`,
      targetRef: {
        kind: 'Pod',
        namespace: NAMESPACE,
        name: `app-${index}-5d4c9f7b8-${slot}`,
        uid: `uid-${index}-${slot}`,
      },
    })),
  };
}

function address(index: number, slot: number): string {
  const number = index * 2 + slot;
  return `10.244.${number >> 8}.${number & 255}`;
}
