import type { KubeClient } from '../../../../kube/client.ts';
import type { Endpoint, EndpointSlice, Service, ServiceSpec } from '../../../../kube/objects.ts';
import { ENDPOINT_SLICES, SERVICES } from '../../../../kube/resources.ts';
import { AGENT, ORACLE, OTHER } from './health-lab.ts';

export type PodState = 'ready' | 'terminating' | 'starting';

/** The first and the second pod of each node; undefined: there is none. */
export interface Pods {
  first?: PodState | undefined;
  second?: PodState | undefined;
}

const CONDITIONS: Readonly<Record<PodState, Endpoint['conditions'] & object>> = {
  ready: { ready: true, serving: true, terminating: false },
  terminating: { ready: false, serving: true, terminating: true },
  starting: { ready: false, serving: false, terminating: false },
};

/** A Service that load balancers ask for; dual-stack, and of two ports. */
export function localService(name: string, spec: ServiceSpec): Service {
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      ipFamilyPolicy: 'RequireDualStack',
      ports: [
        { name: 'http', port: 80 },
        { name: 'more', port: 81 },
      ],
      ...spec,
    },
  };
}

/** Gives the Service these pods on the agent's node, and as many on kube-proxy's; `elsewhere`: one more on the third node. */
export async function setPods(
  client: KubeClient,
  service: string,
  pods: Pods,
  pods6: Pods = pods,
  { elsewhere = false } = {},
): Promise<void> {
  for (const [addressType, given] of [
    ['IPv4', pods],
    ['IPv6', pods6],
  ] as const) {
    const wanted = sliceOf(service, addressType, given, elsewhere);
    const name = wanted.metadata.name;
    const known = await client.list(ENDPOINT_SLICES, { namespace: 'default' });
    if (known.items.some(({ metadata }) => metadata.name === name)) {
      const { endpoints } = wanted;
      const annotations = wanted.metadata.annotations;
      const patch = { metadata: { annotations }, endpoints };
      await client.patch(ENDPOINT_SLICES, 'default', name, patch, { contentType: 'merge' });
    } else await client.create(ENDPOINT_SLICES, wanted);
  }
}

function sliceOf(
  service: string,
  addressType: 'IPv4' | 'IPv6',
  pods: Pods,
  elsewhere: boolean,
): EndpointSlice {
  const endpoints = [AGENT, ORACLE].flatMap((node) => {
    const [first, second] = addressType === 'IPv4' ? node.pods : node.pods6;
    return (
      [
        [first, pods.first],
        [second, pods.second],
      ] as const
    ).flatMap(([address, state]): Endpoint[] =>
      state === undefined
        ? []
        : [{ addresses: [address], nodeName: node.name, conditions: CONDITIONS[state] }],
    );
  });
  if (elsewhere) {
    const [address] = addressType === 'IPv4' ? OTHER.pods : OTHER.pods6;
    endpoints.push({ addresses: [address], nodeName: OTHER.name, conditions: CONDITIONS.ready });
  }
  return {
    metadata: {
      name: `${service}-${addressType.toLowerCase()}`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': service },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': new Date().toISOString() },
    },
    addressType,
    ports: [
      { name: 'http', protocol: 'TCP', port: 8080 },
      { name: 'more', protocol: 'TCP', port: 8081 },
    ],
    endpoints,
  };
}

/** With its slices. */
export async function removeService(client: KubeClient, name: string): Promise<void> {
  await client.delete(SERVICES, 'default', name);
  const { items } = await client.list(ENDPOINT_SLICES, { namespace: 'default' });
  for (const { metadata } of items) {
    if (metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    await client.delete(ENDPOINT_SLICES, 'default', metadata.name);
  }
}
