import type { LoadBalancer } from '../../../crds/load-balancer.ts';
import type { LoadBalancerProvider } from '../../../crds/load-balancer-provider.ts';
import type { Service } from '../../../kube/objects.ts';
import type { KnownProvider } from '../../../operator/plan/select-providers.ts';

export function makeService(
  spec: Partial<Service['spec']> = {},
  metadata: Partial<Service['metadata']> = {},
): Service {
  return {
    metadata: { name: 'web', namespace: 'shop', uid: 'uid-web', ...metadata },
    spec: { type: 'LoadBalancer', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
  };
}

export function makeProvider(
  name: string,
  spec: Partial<LoadBalancerProvider['spec']> = {},
  metadata: Partial<LoadBalancerProvider['metadata']> = {},
): LoadBalancerProvider {
  return {
    metadata: { name, ...metadata },
    spec: {
      default: false,
      scheme: 'Public',
      targets: { mode: 'NodePort', drainSeconds: 30 },
      drift: { policy: 'Repair', intervalSeconds: 300 },
      deletion: 'Delete',
      announce: {},
      ...spec,
    },
  };
}

export function known(...providers: LoadBalancerProvider[]): Map<string, KnownProvider> {
  return new Map(providers.map((object) => [object.metadata.name, { object, findings: [] }]));
}

export function makeLoadBalancer(
  provider: string,
  spec: Partial<LoadBalancer['spec']> = {},
  metadata: Partial<LoadBalancer['metadata']> = {},
): LoadBalancer {
  return {
    metadata: { name: `web.${provider}`, namespace: 'shop', uid: `uid-web-${provider}`, ...metadata },
    spec: {
      service: { name: 'web', uid: 'uid-web' },
      provider: { name: provider, type: 'announce' },
      scheme: 'Public',
      frontends: [{ name: 'http', protocol: 'TCP', port: 80 }],
      targets: { mode: 'NodePort', drainSeconds: 30 },
      externalTrafficPolicy: 'Cluster',
      ...spec,
    },
  };
}
