import type { KubeClient } from '../../../kube/client.ts';
import type { EndpointSlice } from '../../../kube/objects.ts';
import { ENDPOINT_SLICES, SERVICES } from '../../../kube/resources.ts';
import { ENDPOINT_PORT, NAMESPACE, PORT_NAME } from './service-load.ts';

const NAME = 'sticky';
/** As many as the endpoints controller puts into one. */
const SLICE_SIZE = 100;

/** One Service with session affinity, of type NodePort, on the API server. */
export class StickyLoad {
  readonly #client: KubeClient;
  readonly #newAddress: () => string;
  /** By slice. */
  readonly #addresses: string[][] = [];

  constructor(client: KubeClient, newAddress: () => string) {
    this.#client = client;
    this.#newAddress = newAddress;
  }

  /** Its namespace is there already. */
  async make(endpoints: number): Promise<void> {
    await this.#client.create(SERVICES, {
      metadata: { name: NAME, namespace: NAMESPACE },
      spec: {
        type: 'NodePort',
        sessionAffinity: 'ClientIP',
        selector: { app: NAME },
        ports: [{ name: PORT_NAME, protocol: 'TCP', port: 80, targetPort: ENDPOINT_PORT }],
      },
    });
    for (let left = endpoints; left > 0; left -= SLICE_SIZE) {
      const addresses = Array.from({ length: Math.min(left, SLICE_SIZE) }, this.#newAddress);
      const index = this.#addresses.push(addresses) - 1;
      await this.#client.create(ENDPOINT_SLICES, buildSlice(index, addresses));
    }
  }

  /** Puts a new address in the place of one that wasn't changed for long. `turn` from 0, one more with each call. */
  async change(turn: number, address: string): Promise<void> {
    const index = turn % this.#addresses.length;
    const addresses = this.#addresses[index] ?? [];
    addresses[Math.floor(turn / this.#addresses.length) % addresses.length] = address;
    const { metadata, endpoints } = buildSlice(index, addresses);
    const body = { metadata: { annotations: metadata.annotations }, endpoints };
    await this.#client.patch(ENDPOINT_SLICES, NAMESPACE, metadata.name, body, { contentType: 'merge' });
  }
}

function buildSlice(index: number, addresses: readonly string[]): EndpointSlice {
  return {
    metadata: {
      name: `${NAME}-${index}`,
      namespace: NAMESPACE,
      labels: {
        'kubernetes.io/service-name': NAME,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': new Date().toISOString() },
    },
    addressType: 'IPv4',
    ports: [{ name: PORT_NAME, protocol: 'TCP', port: ENDPOINT_PORT }],
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
    })),
  };
}
