import type { IpFamily, Protocol, Service } from '../../kube/objects.ts';
import { splitList } from '../../kube/split-list.ts';

/** What one LoadBalancer asks of the address pools: plain data. */
export interface AddressRequest {
  /** Key of the LoadBalancer: `namespace/name`. */
  owner: string;
  namespace: string;
  /** Name of the Service. */
  service: string;
  provider: string;
  namespaceLabels: Readonly<Record<string, string>>;
  serviceLabels: Readonly<Record<string, string>>;
  /** Wanted, the first one first. */
  families: readonly IpFamily[];
  /** true: every family or none (RequireDualStack); false: what there is. */
  allFamilies: boolean;
  /** Asked for by the Service, as they were written. */
  addresses: readonly string[];
  /** Pools asked for, in the order to try them; empty: any that serves. */
  pools: readonly string[];
  sharedKey?: string | undefined;
  frontends: readonly { protocol: Protocol; port: number }[];
}

/**
 * Reads the request out of a Service. `fairlead.dev/address` (an address of each family at most, comma separated) goes
 * before `spec.loadBalancerIP`, which Kubernetes deprecates for not being able to say two families.
 */
export function buildAddressRequest(
  service: Service,
  context: {
    owner: string;
    provider: string;
    namespaceLabels?: Readonly<Record<string, string>> | undefined;
  },
): AddressRequest {
  const { metadata, spec } = service;
  const annotation = (name: string) => metadata.annotations?.[`fairlead.dev/${name}`]?.trim();
  const families = spec.ipFamilies?.length ? spec.ipFamilies : (['IPv4'] as const);
  return {
    owner: context.owner,
    namespace: metadata.namespace ?? '',
    service: metadata.name,
    provider: context.provider,
    namespaceLabels: context.namespaceLabels ?? {},
    serviceLabels: metadata.labels ?? {},
    families,
    allFamilies: spec.ipFamilyPolicy === 'RequireDualStack',
    addresses: splitList(annotation('address') || spec.loadBalancerIP),
    pools: splitList(annotation('address-pool')),
    sharedKey: annotation('shared-address') || undefined,
    frontends: (spec.ports ?? []).map(({ protocol, port }) => ({ protocol: protocol ?? 'TCP', port })),
  };
}
