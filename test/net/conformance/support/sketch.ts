import type { EndpointSlice, Protocol, Service, ServiceSpec } from '../../../../kube/objects.ts';
import type { Transport } from '../../support/station-protocol.ts';
import type { Addresses, Family, Place } from './places.ts';

/** A Service with its endpoints, as a case describes it; of every family that the cluster has. */
export interface ServiceSketch {
  /** Unique within the case. @default web */
  name?: string;
  /** @default ClusterIP */
  type?: ServiceSpec['type'];
  /** @default 80 to 8080, TCP */
  ports?: readonly PortSketch[];
  /** In one slice a family. @default none */
  endpoints?: readonly EndpointSketch[];
  /** In the place of `endpoints`: several slices, each made for every family. */
  slices?: readonly SliceSketch[];
  /** @default the API server's choice */
  clusterIp?: Addresses;
  /** Gives it an external IP. */
  externalIp?: boolean;
  /** Puts an address into status.loadBalancer, with this ipMode. */
  vip?: 'VIP' | 'Proxy';
  /** Takes the VIP or external IP of this other Service of the case. */
  addressesOf?: string;
  labels?: Record<string, string>;
  /** More of the spec, as the API has it. */
  spec?: Partial<ServiceSpec>;
}

export interface PortSketch {
  port: number;
  /** @default 8080 */
  targetPort?: number;
  /** @default tcp */
  transport?: Transport;
  nodePort?: number;
}

export type EndpointSketch = Place | EndpointWithState;

export interface EndpointWithState {
  pod: Place;
  /** @default ready */
  state?: 'ready' | 'notReady' | 'terminating' | 'terminatingNotServing';
  zones?: readonly string[];
  nodes?: readonly Place[];
}

export interface SliceSketch {
  endpoints: readonly EndpointSketch[];
  /** @default those of the Service */
  ports?: EndpointSlice['ports'];
  labels?: Record<string, string>;
  addressType?: EndpointSlice['addressType'];
}

/** What a Service of a case is given that others must not have. */
export interface Allotment {
  /** Unique in the cluster. */
  name: string;
  vip: Addresses;
  externalIp: Addresses;
  /** Those of the cluster, first the one that `spec.clusterIP` is of. */
  families: readonly Family[];
}

export const NAMESPACE = 'default';

export function serviceOf(sketch: ServiceSketch, allotment: Allotment): Service {
  const { type = 'ClusterIP', clusterIp, externalIp = false, labels, spec = {} } = sketch;
  const { families } = allotment;
  const ipFamilyPolicy = families.length > 1 ? 'RequireDualStack' : 'SingleStack';
  const clusterIPs = clusterIp && families.map((family) => clusterIp[family]);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: allotment.name, namespace: NAMESPACE, ...(labels === undefined ? {} : { labels }) },
    spec: {
      type,
      // Nobody runs in the cluster that would look after a class, or without one.
      ...(type === 'LoadBalancer' ? { loadBalancerClass: 'conformance.test/none' } : {}),
      ...(type === 'ExternalName' ? {} : { ipFamilyPolicy, ipFamilies: [...families] }),
      ...(clusterIPs?.[0] === undefined ? {} : { clusterIP: clusterIPs[0], clusterIPs }),
      ...(externalIp ? { externalIPs: families.map((family) => allotment.externalIp[family]) } : {}),
      ports: portsOf(sketch).map(({ port, transport, nodePort, targetPort = 8080 }, index) => ({
        name: `port-${index}`,
        protocol: protocolOf(transport),
        port,
        targetPort,
        ...(nodePort === undefined ? {} : { nodePort }),
      })),
      ...spec,
    },
  };
}

export function statusOf(sketch: ServiceSketch, { vip, families }: Allotment): Service['status'] {
  const { vip: ipMode } = sketch;
  if (ipMode === undefined) return { loadBalancer: { ingress: [] } };
  return { loadBalancer: { ingress: families.map((family) => ({ ip: vip[family], ipMode })) } };
}

export function slicesOf(sketch: ServiceSketch, { name, families }: Allotment): EndpointSlice[] {
  const slices = sketch.slices ?? [{ endpoints: sketch.endpoints ?? [] }];
  const ports = portsOf(sketch).map(({ transport, targetPort = 8080 }, index) => ({
    name: `port-${index}`,
    protocol: protocolOf(transport),
    port: targetPort,
  }));
  return slices.flatMap((slice, index) =>
    families.map((family): EndpointSlice => {
      const addressType = slice.addressType ?? family;
      return {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          name: `${name}-${family.toLowerCase()}-${index}`,
          namespace: NAMESPACE,
          labels: { 'kubernetes.io/service-name': name, ...slice.labels },
        },
        addressType,
        ports: slice.ports ?? ports,
        endpoints: slice.endpoints.map((endpoint) => endpointOf(endpoint, family, addressType)),
      };
    }),
  );
}

export function portsOf({ ports = [{ port: 80 }] }: ServiceSketch): readonly PortSketch[] {
  return ports;
}

export function protocolOf(transport: Transport = 'tcp'): Protocol {
  return ({ tcp: 'TCP', udp: 'UDP', sctp: 'SCTP' } as const)[transport];
}

function endpointOf(sketch: EndpointSketch, family: Family, addressType: EndpointSlice['addressType']) {
  const {
    pod,
    state = 'ready',
    zones,
    nodes,
  }: EndpointWithState = 'pod' in sketch ? sketch : { pod: sketch };
  const forZones = zones?.map((name) => ({ name }));
  const forNodes = nodes?.map(({ name }) => ({ name }));
  const hints = { ...(forZones && { forZones }), ...(forNodes && { forNodes }) };
  return {
    addresses: [addressType === 'FQDN' ? `${pod.name}.example.test` : pod.addresses[family]],
    // A host process's endpoint is on that host.
    nodeName: (pod.node ?? pod).name,
    conditions: {
      ready: state === 'ready',
      serving: state === 'ready' || state === 'terminating',
      terminating: state === 'terminating' || state === 'terminatingNotServing',
    },
    ...(zones === undefined && nodes === undefined ? {} : { hints }),
  };
}
