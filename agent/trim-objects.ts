import type { LoadBalancer } from '../crds/load-balancer.ts';
import type { EndpointSlice, KubeObject, Node, ObjectMeta, Service } from '../kube/objects.ts';
import { HEADLESS_LABEL, SERVICE_NAME_LABEL } from './endpoints/collect-endpoints.ts';
import { PROXY_NAME_LABEL } from './endpoints/decide-served.ts';
import { TRIGGER_TIME } from './proxy-metrics/change-tracker.ts';

/**
 * What the agent keeps of each object: at 10,000 Services the rest would be most of its memory. Objects are built anew,
 * since a field deleted from a parsed object keeps its room.
 */
export function trimService(service: Service): Service {
  const { spec, status } = service;
  const ingress = status?.loadBalancer?.ingress;
  return {
    metadata: trimMeta(service, [PROXY_NAME_LABEL]),
    spec: {
      ...given('type', spec.type),
      ...given(
        'ports',
        spec.ports?.map(({ name, protocol, port, nodePort }) => ({
          ...given('name', name),
          ...given('protocol', protocol),
          port,
          ...given('nodePort', nodePort),
        })),
      ),
      ...given('clusterIP', spec.clusterIP),
      ...given('clusterIPs', spec.clusterIPs),
      ...given('externalIPs', spec.externalIPs),
      ...given('externalTrafficPolicy', spec.externalTrafficPolicy),
      ...given('internalTrafficPolicy', spec.internalTrafficPolicy),
      ...given('loadBalancerSourceRanges', spec.loadBalancerSourceRanges),
      ...given('sessionAffinity', spec.sessionAffinity),
      ...given('sessionAffinityConfig', spec.sessionAffinityConfig),
      ...given('healthCheckNodePort', spec.healthCheckNodePort),
    },
    ...(ingress === undefined ? {} : { status: { loadBalancer: { ingress } } }),
  };
}

export function trimSlice(slice: EndpointSlice): EndpointSlice {
  return {
    metadata: trimMeta(slice, [SERVICE_NAME_LABEL, HEADLESS_LABEL], [TRIGGER_TIME]),
    addressType: slice.addressType,
    endpoints: (slice.endpoints ?? []).map(({ addresses, conditions, nodeName, hints }) => ({
      addresses: addresses.slice(0, 1),
      ...given('conditions', conditions),
      ...given('nodeName', nodeName),
      ...given('hints', hints),
    })),
    ports: (slice.ports ?? []).map(({ name, protocol, port }) => ({
      ...given('name', name),
      ...given('protocol', protocol),
      ...given('port', port),
    })),
  };
}

export function trimLoadBalancer(loadBalancer: LoadBalancer): LoadBalancer {
  return { metadata: trimMeta(loadBalancer, []), spec: loadBalancer.spec };
}

export function trimNode(node: Node): Node {
  const { spec, status } = node;
  return {
    metadata: { ...trimMeta(node, []), ...given('labels', node.metadata.labels) },
    spec: { ...given('taints', spec?.taints) },
    status: { ...given('addresses', status?.addresses) },
  };
}

function trimMeta(
  object: KubeObject,
  labels: readonly string[],
  annotations: readonly string[] = [],
): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp } =
    object.metadata;
  return {
    name,
    ...given('namespace', namespace),
    ...given('uid', uid),
    ...given('resourceVersion', resourceVersion),
    ...given('generation', generation),
    ...given('creationTimestamp', creationTimestamp),
    ...given('deletionTimestamp', deletionTimestamp),
    ...given('labels', pick(object.metadata.labels, labels)),
    ...given('annotations', pick(object.metadata.annotations, annotations)),
  };
}

function pick(all: Record<string, string> | undefined, names: readonly string[]) {
  const kept = names.flatMap((name) => {
    const value = all?.[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function given<K extends string, V>(key: K, value: V | undefined): { [k in K]?: V } | object {
  return value === undefined ? {} : { [key]: value };
}
