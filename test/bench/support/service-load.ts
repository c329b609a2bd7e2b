import type { KubeClient } from '../../../kube/client.ts';
import { isClass } from '../../../kube/errors.ts';
import type { EndpointSlice, Service } from '../../../kube/objects.ts';
import { ENDPOINT_SLICES, NAMESPACES, SERVICES } from '../../../kube/resources.ts';
import { HOST_ADDRESS } from './bench-node.ts';
import { copyServices } from './copy-services.ts';
import { writeToEtcd } from './etcd-writer.ts';

export const NAMESPACE = 'bench';
export const PORT_NAME = 'http';
export const ENDPOINT_PORT = 8080;
const CREATORS = 48;
/** Of the API server's own making; what comes after is copied, where there is an etcd to write to. */
const MOST_MADE = 10_000;
/** Of type ClusterIP. */
const MODEL = 'service-1';
/** 10.96.0.0/16, the range of the control plane. */
const CLUSTER_IPS = { prefix: '10.96', first: 256, last: 65_000 };
const MOST_ATTEMPTS = 5;
/** There are 2,768 node ports. */
const MOST_NODE_PORTS = 2_000;
/** Endpoints that Services begin with, and those that changes give them: two ranges of CLUSTER_CIDR. */
const FIRST_ADDRESS = 0x0a80_0000;
const FIRST_NEW_ADDRESS = 0x0ac0_0000;

export interface LoadSize {
  services: number;
  /** Of each Service. */
  endpoints: number;
}

export function describeSize({ services, endpoints }: LoadSize): string {
  return `${services.toLocaleString('en')} x ${endpoints}`;
}

/** Services `service-0` to `service-N` on the API server, which only grow; every tenth is of type NodePort. */
export class ServiceLoad {
  readonly #client: KubeClient;
  readonly #etcdUrl: string | undefined;
  #size: LoadSize = { services: 0, endpoints: 0 };
  #newAddresses = 0;
  #sentinels: string[] = [];

  /** With the URL of etcd, what would take an API server too long is written there. */
  constructor(client: KubeClient, etcdUrl?: string) {
    this.#client = client;
    this.#etcdUrl = etcdUrl;
  }

  get size(): LoadSize {
    return this.#size;
  }

  /** ClusterIPs of Services with a real server: one made before each growth, and one after the last. */
  get sentinels(): readonly string[] {
    return this.#sentinels;
  }

  async grow(size: LoadSize): Promise<void> {
    const before = this.#size;
    if (before.services === 0) await this.#client.create(NAMESPACES, { metadata: { name: NAMESPACE } });
    await this.#addSentinel();
    const made = this.#etcdUrl === undefined ? size.services : Math.min(size.services, MOST_MADE);
    await inParallel(before.services, made, (index) => this.#create(index, size.endpoints));
    await this.#copy(Math.max(before.services, made), size);
    if (size.endpoints !== before.endpoints) {
      await inParallel(0, before.services, (index) =>
        insist(() => this.#setEndpoints(index, endpointsOf(index, size.endpoints))),
      );
    }
    await this.#addSentinel();
    this.#size = size;
  }

  /** An address that no endpoint ever had. */
  newAddress(): string {
    return addressText(FIRST_NEW_ADDRESS + this.#newAddresses++);
  }

  /** Puts another address in the place of a Service's first endpoint. */
  async changeEndpoint(index: number, address: string): Promise<void> {
    await this.#setEndpoints(index, [address, ...endpointsOf(index, this.#size.endpoints).slice(1)]);
  }

  /** Makes the slice of a Service that isn't there yet. */
  async prepareService(name: string, addresses: readonly string[]): Promise<void> {
    await this.#client.create(ENDPOINT_SLICES, buildSlice(name, addresses));
  }

  async addService(name: string): Promise<void> {
    await this.#client.create(SERVICES, buildService(name, 'ClusterIP'));
  }

  /** Makes a Service of type NodePort with endpoints that really answer. */
  async addTarget(
    name: string,
    addresses: readonly string[],
  ): Promise<{ clusterIp: string; nodePort: number }> {
    await this.prepareService(name, addresses);
    const { spec } = await this.#client.create(SERVICES, buildService(name, 'NodePort'));
    const nodePort = spec.ports?.[0]?.nodePort;
    if (spec.clusterIP === undefined || nodePort === undefined) throw new Error(`${name} has no address`);
    return { clusterIp: spec.clusterIP, nodePort };
  }

  async removeService(name: string): Promise<void> {
    await this.#client.delete(SERVICES, NAMESPACE, name);
    await this.#client.delete(ENDPOINT_SLICES, NAMESPACE, `${name}-abcde`);
  }

  async #create(index: number, endpoints: number): Promise<void> {
    const name = serviceName(index);
    const isNodePort = index % 10 === 0 && index / 10 < MOST_NODE_PORTS;
    const service = buildService(name, isNodePort ? 'NodePort' : 'ClusterIP');
    await insist(() => this.#client.create(SERVICES, service));
    await insist(() => this.#client.create(ENDPOINT_SLICES, buildSlice(name, endpointsOf(index, endpoints))));
  }

  /** Services from this number on, past the API server. */
  async #copy(from: number, { services, endpoints }: LoadSize): Promise<void> {
    if (this.#etcdUrl === undefined || from >= services) return;
    const copies = (function* () {
      for (let index = from; index < services; index++) {
        const name = serviceName(index);
        yield { name, slice: buildSlice(name, endpointsOf(index, endpoints)) };
      }
    })();
    const model = { namespace: NAMESPACE, service: MODEL, slice: `${MODEL}-abcde` };
    await writeToEtcd(this.#etcdUrl, await copyServices(this.#client, model, CLUSTER_IPS, copies));
  }

  async #setEndpoints(index: number, addresses: readonly string[]): Promise<void> {
    const { endpoints, metadata } = buildSlice(serviceName(index), addresses);
    const body = { metadata: { annotations: metadata.annotations }, endpoints };
    const name = `${serviceName(index)}-abcde`;
    await this.#client.patch(ENDPOINT_SLICES, NAMESPACE, name, body, { contentType: 'merge' });
  }

  async #addSentinel(): Promise<void> {
    const name = `sentinel-${this.#sentinels.length}`;
    await this.prepareService(name, [HOST_ADDRESS]);
    const { spec } = await this.#client.create(SERVICES, buildService(name, 'ClusterIP'));
    if (spec.clusterIP === undefined) throw new Error(`${name} has no ClusterIP`);
    this.#sentinels.push(spec.clusterIP);
  }
}

/** A busy API server may answer too late: then what was asked for may be there already. */
async function insist(create: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await create();
      return;
    } catch (error) {
      if (isClass(error, 'Conflict') && attempt > 1) return;
      if (!isClass(error, 'Transient', 'Throttled') || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

export function serviceName(index: number): string {
  return `service-${index}`;
}

function buildService(name: string, type: 'ClusterIP' | 'NodePort'): Service {
  return {
    metadata: { name, namespace: NAMESPACE },
    spec: {
      type,
      selector: { app: name },
      ports: [{ name: PORT_NAME, protocol: 'TCP', port: 80, targetPort: ENDPOINT_PORT }],
    },
  };
}

/** As the endpoints controller writes them, with what pods bring along. */
function buildSlice(service: string, addresses: readonly string[]): EndpointSlice {
  return {
    metadata: {
      name: `${service}-abcde`,
      namespace: NAMESPACE,
      labels: {
        'kubernetes.io/service-name': service,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': new Date().toISOString() },
    },
    addressType: 'IPv4',
    ports: [{ name: PORT_NAME, protocol: 'TCP', port: ENDPOINT_PORT }],
    endpoints: addresses.map((address, slot) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${(service.length + Number(address.split('.')[3]) + slot) % 100}`,
      targetRef: {
        kind: 'Pod',
        namespace: NAMESPACE,
        name: `${service}-5d4c9f7b8-${slot}`,
        uid: `6f2b61a5-0000-4000-8000-${service}-${slot}`,
      },
    })),
  };
}

function endpointsOf(index: number, count: number): string[] {
  // Eight addresses each: they stay the same when endpoints are added.
  return Array.from({ length: count }, (_, slot) => addressText(FIRST_ADDRESS + index * 8 + slot));
}

function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

async function inParallel(from: number, to: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = from;
  const run = async () => {
    while (next < to) await work(next++);
  };
  await Promise.all(Array.from({ length: CREATORS }, run));
}
