import type { LoadBalancer } from '../../../../crds/load-balancer.ts';
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from '../../../../kube/objects.ts';

export const NODE = 'n1';

/** A Service of type ClusterIP at 10.96.0.1 with port 80, unless told otherwise. */
export function service(
  name: string,
  spec: ServiceSpec = {},
  metadata: Partial<Service['metadata']> = {},
): Service {
  const clusterIPs = spec.clusterIPs ?? ['10.96.0.1'];
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIPs[0] ?? '',
      clusterIPs,
      ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
      ...spec,
    },
  };
}

export function slice(
  serviceName: string,
  endpoints: Endpoint[],
  more: Partial<EndpointSlice> & { name?: string; labels?: Record<string, string> } = {},
): EndpointSlice {
  const { name = `${serviceName}-1`, labels = {}, ...rest } = more;
  return {
    metadata: {
      name,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': serviceName, ...labels },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints,
    ...rest,
  };
}

/** An endpoint by its conditions: `ready`, `terminating` (and serving), `stopping` (and not serving), `starting`. */
export function endpoint(
  address: string,
  state: 'ready' | 'terminating' | 'stopping' | 'starting' | 'unsaid' = 'ready',
  nodeName = 'n2',
): Endpoint {
  const conditions = {
    ready: { ready: true, serving: true, terminating: false },
    terminating: { ready: false, serving: true, terminating: true },
    stopping: { ready: false, serving: false, terminating: true },
    starting: { ready: false, serving: false, terminating: false },
    unsaid: {},
  }[state];
  return { addresses: [address], conditions, nodeName };
}

export function loadBalancer(
  serviceName: string,
  spec: Partial<LoadBalancer['spec']> = {},
  uid = `uid-${serviceName}`,
): LoadBalancer {
  return {
    metadata: { name: `${serviceName}.lab`, namespace: 'default' },
    spec: {
      service: { name: serviceName, uid },
      provider: { name: 'lab', type: 'announce' },
      scheme: 'Public',
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster',
      ...spec,
    },
  };
}
