import { randomUUID } from 'node:crypto';
import type { KubeClient } from '../../../kube/client.ts';
import type { EndpointSlice, KubeObject, Service } from '../../../kube/objects.ts';
import { ENDPOINT_SLICES, SERVICES } from '../../../kube/resources.ts';
import type { StoredObject } from './etcd-writer.ts';

/** What one copy is to be. */
export interface ServiceCopy {
  name: string;
  /** The whole slice, but for what the API server adds. */
  slice: EndpointSlice;
}

/**
 * Services, each with its EndpointSlice and its IPAddress, as they are stored: like those that the API server made, with a
 * ClusterIP of `range` that is still free.
 */
export async function copyServices(
  client: KubeClient,
  model: { namespace: string; service: string; slice: string },
  range: { prefix: string; first: number; last: number },
  copies: Iterable<ServiceCopy>,
): Promise<Iterator<StoredObject[]>> {
  const { namespace } = model;
  const service = await client.get(SERVICES, namespace, model.service);
  const slice = await client.get(ENDPOINT_SLICES, namespace, model.slice);
  const { items } = await client.list(SERVICES, {});
  const taken = new Set(items.flatMap(({ spec }) => spec.clusterIPs ?? []));
  return (function* () {
    let number = range.first;
    for (const copy of copies) {
      while (taken.has(addressOf(range, number))) number++;
      if (number > range.last) throw new Error('the range of ClusterIPs is used up');
      const address = addressOf(range, number++);
      yield store(namespace, address, copy, service, slice);
    }
  })();
}

function store(
  namespace: string,
  address: string,
  { name, slice }: ServiceCopy,
  serviceModel: Service,
  sliceModel: EndpointSlice,
): StoredObject[] {
  const service: Service = {
    ...serviceModel,
    apiVersion: 'v1',
    kind: 'Service',
    metadata: stored(serviceModel, name),
    spec: { ...serviceModel.spec, selector: { app: name }, clusterIP: address, clusterIPs: [address] },
  };
  const { labels = {}, annotations = {} } = slice.metadata;
  const value: EndpointSlice = {
    ...slice,
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...stored(sliceModel, slice.metadata.name), labels, annotations },
  };
  return [
    { key: `/registry/ipaddresses/${address}`, value: buildIpAddress(address, namespace, name) },
    { key: `/registry/services/specs/${namespace}/${name}`, value: service },
    { key: `/registry/endpointslices/${namespace}/${slice.metadata.name}`, value },
  ];
}

/** The version of an object is etcd's own, and isn't stored. */
function stored({ metadata }: KubeObject, name: string): KubeObject['metadata'] {
  const { resourceVersion: _, ...rest } = metadata;
  return { ...rest, name, uid: randomUUID() };
}

/** As the allocator makes them (KEP-1880): without one, the API server takes the Service for broken, and repairs it. */
function buildIpAddress(address: string, namespace: string, name: string): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      uid: randomUUID(),
      creationTimestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      labels: {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { resource: 'services', namespace, name } },
  };
}

function addressOf({ prefix }: { prefix: string }, number: number): string {
  return `${prefix}.${number >> 8}.${number & 255}`;
}
