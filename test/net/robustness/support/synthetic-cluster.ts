import type { EndpointSlice, Service } from '../../../../kube/objects.ts';
import type { ClusterObjects } from '../../support/forwarding-lab.ts';

export interface SyntheticOptions {
  services: number;
  /** Addresses that serve, at port 8080: each Service has two of them, in turn. */
  endpoints: readonly string[];
  /** Every so manieth Service has session affinity. @default none */
  stickyEvery?: number;
}

/** Services at 10.96.16.0 and up, port 80. */
export function buildCluster({ services, endpoints, stickyEvery = 0 }: SyntheticOptions): ClusterObjects {
  const indexes = Array.from({ length: services }, (_, index) => index);
  return {
    services: indexes.map((index) => buildService(index, stickyEvery > 0 && index % stickyEvery === 0)),
    slices: indexes.map((index) => buildSlice(index, [pick(endpoints, index), pick(endpoints, index + 1)])),
  };
}

export function clusterIpAt(index: number): string {
  const number = 4096 + index;
  return `10.96.${number >> 8}.${number & 255}`;
}

export function buildService(index: number, isSticky = false): Service {
  return {
    metadata: { name: `s${index}`, namespace: 'many', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      clusterIP: clusterIpAt(index),
      clusterIPs: [clusterIpAt(index)],
      ports: [{ port: 80, protocol: 'TCP' }],
      ...(isSticky ? { sessionAffinity: 'ClientIP' } : {}),
    },
  };
}

export function buildSlice(index: number, addresses: readonly string[]): EndpointSlice {
  return {
    metadata: {
      name: `s${index}-1`,
      namespace: 'many',
      labels: { 'kubernetes.io/service-name': `s${index}` },
    },
    addressType: 'IPv4',
    ports: [{ name: '', protocol: 'TCP', port: 8080 }],
    endpoints: [...new Set(addresses)].map((address) => ({
      addresses: [address],
      conditions: { ready: true },
    })),
  };
}

function pick(addresses: readonly string[], index: number): string {
  return addresses[index % addresses.length] ?? '';
}
