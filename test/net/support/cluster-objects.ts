import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import type { Endpoint, EndpointSlice, Service, ServicePort } from '../../../kube/objects.ts';
import { PODS } from './forwarding-lab.ts';
import type { Transport } from './station-protocol.ts';
import type { TopologyPod } from './topology.ts';

export type EndpointState = 'ready' | 'notReady' | 'terminating';

export interface ServiceSketch {
  name?: string;
  /** Last part of both ClusterIPs. @default 10 */
  host?: number;
  ports?: { port?: number; targetPort?: number; transport?: Transport; nodePort?: number }[];
  /** @default all, ready */
  pods?: readonly (TopologyPod | [TopologyPod, EndpointState])[];
  externalIPs?: string[];
  /** Addresses in status. */
  ingress?: string[];
}

/** A dual-stack Service with its slices, one a family. */
export function sketchService(sketch: ServiceSketch = {}): { service: Service; slices: EndpointSlice[] } {
  const { name = 'web', host = 10, ports = [{}], pods = PODS, externalIPs, ingress } = sketch;
  const servicePorts = ports.map(
    ({ port = 80, transport = 'tcp', nodePort }, index): ServicePort => ({
      name: `port-${index}`,
      protocol: protocolOf(transport),
      port,
      ...(nodePort === undefined ? {} : { nodePort }),
    }),
  );
  const clusterIPs = clusterIpsOf(host);
  const service: Service = {
    metadata: { name, namespace: 'default', uid: `uid-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      clusterIP: clusterIPs[0],
      clusterIPs,
      ports: servicePorts,
      ...(externalIPs === undefined ? {} : { externalIPs }),
    },
    ...(ingress === undefined
      ? {}
      : { status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } } }),
  };
  const slicePorts = ports.map(({ targetPort = 8080, transport = 'tcp' }, index) => ({
    name: `port-${index}`,
    protocol: protocolOf(transport),
    port: targetPort,
  }));
  const slices = (['IPv4', 'IPv6'] as const).map(
    (addressType): EndpointSlice => ({
      metadata: {
        name: `${name}-${addressType.toLowerCase()}`,
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': name },
      },
      addressType,
      ports: slicePorts,
      endpoints: pods.map((entry) => {
        const [pod, state]: readonly [TopologyPod, EndpointState] = isPair(entry) ? entry : [entry, 'ready'];
        return endpointOf(pod, state, addressType);
      }),
    }),
  );
  return { service, slices };
}

export function clusterIpsOf(host: number): [string, string] {
  return [`10.96.0.${host}`, `fd00:96::${host}`];
}

export function sketchLoadBalancer(
  serviceName: string,
  spec: Pick<LoadBalancer['spec'], 'addresses' | 'frontends'>,
): LoadBalancer {
  return {
    metadata: { name: `${serviceName}.lab`, namespace: 'default' },
    spec: {
      service: { name: serviceName, uid: `uid-${serviceName}` },
      provider: { name: 'lab', type: 'announce' },
      scheme: 'Public',
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster',
      ...spec,
    },
  };
}

/** All of several sketches together. */
export function merge(...parts: { service: Service; slices: EndpointSlice[] }[]) {
  return { services: parts.map(({ service }) => service), slices: parts.flatMap(({ slices }) => slices) };
}

function endpointOf(pod: TopologyPod, state: EndpointState, addressType: 'IPv4' | 'IPv6'): Endpoint {
  return {
    addresses: [addressType === 'IPv4' ? pod.address : pod.address6],
    nodeName: pod.node,
    conditions: {
      ready: state === 'ready',
      serving: state !== 'notReady',
      terminating: state === 'terminating',
    },
  };
}

function isPair(
  entry: TopologyPod | readonly [TopologyPod, EndpointState],
): entry is [TopologyPod, EndpointState] {
  return Array.isArray(entry);
}

function protocolOf(transport: Transport): 'TCP' | 'UDP' | 'SCTP' {
  return ({ tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' } as const)[transport];
}
