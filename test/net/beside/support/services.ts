import type { LoadBalancer } from '../../../../crds/load-balancer.ts';
import { LOAD_BALANCERS } from '../../../../crds/resources.ts';
import type { KubeClient } from '../../../../kube/client.ts';
import type { EndpointSlice, Service, ServiceSpec } from '../../../../kube/objects.ts';
import { ENDPOINT_SLICES, SERVICES } from '../../../../kube/resources.ts';
import type { TopologyPod } from '../../support/topology.ts';

export const NAMESPACE = 'default';
export const PROXY_LABEL = 'service.kubernetes.io/service-proxy-name';
export const TARGET_PORT = 8080;

/** A dual-stack Service, TCP port 80, as people and the operator would have written it. */
export interface ServiceSketch {
  name: string;
  /** Last part of both ClusterIPs, of the routed VIPs, and of its ports of nodes. */
  host: number;
  /** @default ClusterIP */
  type?: NonNullable<ServiceSpec['type']>;
  /** The value of the label that names a proxy. */
  proxy?: string;
  /** @default none */
  pods?: readonly TopologyPod[];
  /** Has a LoadBalancer of Fairlead with addresses and a forwarding port, and the addresses in its status. */
  loadBalancer?: boolean;
  /** In the place of routed addresses that no node announces. */
  announced?: { addresses: readonly string[]; node: string };
  spec?: Pick<ServiceSpec, 'loadBalancerSourceRanges' | 'externalTrafficPolicy' | 'healthCheckNodePort'>;
}

export const clusterIpsOf = (host: number): [string, string] => [`10.96.0.${host}`, `fd00:96::${host}`];
/** Routed to the first node by the client. */
export const vipsOf = (host: number): [string, string] => [`203.0.113.${host}`, `fd00:203::${host}`];
export const nodePortOf = (host: number) => 30_000 + host;
export const forwardingPortOf = (host: number) => 40_000 + host;

export async function createService(client: KubeClient, sketch: ServiceSketch): Promise<void> {
  const service = await client.create(SERVICES, serviceOf(sketch));
  for (const slice of slicesOf(sketch)) await client.create(ENDPOINT_SLICES, slice);
  if (sketch.loadBalancer !== true) return;
  await client.create(LOAD_BALANCERS, loadBalancerOf(sketch, service.metadata.uid ?? ''));
  const ingress = addressesOf(sketch).map((ip) => ({ ip, ipMode: 'VIP' }));
  await client.patch(
    SERVICES,
    NAMESPACE,
    sketch.name,
    { status: { loadBalancer: { ingress } } },
    { contentType: 'merge', subresource: 'status' },
  );
}

/** Puts another set of pods behind a Service. */
export async function leadTo(client: KubeClient, sketch: ServiceSketch): Promise<void> {
  for (const { metadata, endpoints } of slicesOf(sketch)) {
    await client.patch(ENDPOINT_SLICES, NAMESPACE, metadata.name, { endpoints }, { contentType: 'merge' });
  }
}

/** `null` takes the label away. */
export async function labelService(client: KubeClient, name: string, proxy: string | null): Promise<void> {
  const labels = { [PROXY_LABEL]: proxy };
  await client.patch(SERVICES, NAMESPACE, name, { metadata: { labels } }, { contentType: 'merge' });
}

export async function deleteService(client: KubeClient, sketch: ServiceSketch): Promise<void> {
  if (sketch.loadBalancer) await client.delete(LOAD_BALANCERS, NAMESPACE, `${sketch.name}.lab`);
  for (const { metadata } of slicesOf(sketch)) await client.delete(ENDPOINT_SLICES, NAMESPACE, metadata.name);
  await client.delete(SERVICES, NAMESPACE, sketch.name);
}

function serviceOf({ name, host, type = 'ClusterIP', proxy, spec = {} }: ServiceSketch): Service {
  const nodePort = type === 'ClusterIP' ? {} : { nodePort: nodePortOf(host) };
  return {
    metadata: {
      name,
      namespace: NAMESPACE,
      ...(proxy === undefined ? {} : { labels: { [PROXY_LABEL]: proxy } }),
    },
    spec: {
      type,
      // No operator runs here that would look after one.
      ...(type === 'LoadBalancer' ? { loadBalancerClass: 'fairlead.dev/lab' } : {}),
      clusterIP: clusterIpsOf(host)[0],
      clusterIPs: clusterIpsOf(host),
      ipFamilyPolicy: 'RequireDualStack',
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: TARGET_PORT, ...nodePort }],
      ...spec,
    },
  };
}

function slicesOf({ name, pods = [] }: ServiceSketch): EndpointSlice[] {
  return (['IPv4', 'IPv6'] as const).map((addressType) => ({
    metadata: {
      name: `${name}-${addressType.toLowerCase()}`,
      namespace: NAMESPACE,
      labels: { 'kubernetes.io/service-name': name },
    },
    addressType,
    ports: [{ name: 'http', protocol: 'TCP', port: TARGET_PORT }],
    endpoints: pods.map((pod) => ({
      addresses: [addressType === 'IPv4' ? pod.address : pod.address6],
      nodeName: pod.node,
      conditions: { ready: true, serving: true, terminating: false },
    })),
  }));
}

function addressesOf({ host, announced }: ServiceSketch): readonly string[] {
  return announced?.addresses ?? vipsOf(host);
}

function loadBalancerOf(sketch: ServiceSketch, uid: string): LoadBalancer {
  const { name, host, announced, spec } = sketch;
  return {
    apiVersion: 'fairlead.dev/v1alpha1',
    kind: 'LoadBalancer',
    metadata: { name: `${name}.lab`, namespace: NAMESPACE },
    spec: {
      service: { name, uid },
      provider: { name: 'lab', type: 'announce' },
      scheme: 'Public',
      addresses: addressesOf(sketch).map((address) => ({
        address,
        family: address.includes(':') ? 'IPv6' : 'IPv4',
        pool: 'lab',
      })),
      frontends: [
        { name: 'http', protocol: 'TCP', port: 80, forwardingPort: forwardingPortOf(host), portPool: 'lab' },
      ],
      targets: { mode: 'ForwardingPort', drainSeconds: 30 },
      externalTrafficPolicy: spec?.externalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
      announce: { nodeSelector: { matchLabels: { 'kubernetes.io/hostname': announced?.node ?? 'nobody' } } },
    },
  };
}
