import type { LoadBalancer } from '../crds/load-balancer.ts';
import { HEADLESS_LABEL, SERVICE_NAME_LABEL } from '../kube/endpoint-slices.ts';
import type { EndpointSlice, Service } from '../kube/objects.ts';
import { given, trimMeta } from '../kube/trim-objects.ts';
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

/** Of a webhook, only its status says who accepts connections: the nodes or something else. */
export function trimLoadBalancer(loadBalancer: LoadBalancer): LoadBalancer {
  const { spec, status } = loadBalancer;
  const ingress = spec.provider.type === 'webhook' ? status?.ingress : undefined;
  return {
    metadata: trimMeta(loadBalancer, []),
    spec,
    ...(ingress === undefined ? {} : { status: { ingress } }),
  };
}
