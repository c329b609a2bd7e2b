import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { Service } from '../../kube/objects.ts';
import { canonicalAddress } from '../endpoints/canonical-address.ts';

/**
 * The load balancers' addresses that nodes forward themselves: those claimed for the Service, which come first in time,
 * and those in its status, whoever wrote them. Ingress of ipMode Proxy is left to the load balancer (KEP-1860).
 */
export function collectVips(service: Service, loadBalancers: readonly LoadBalancer[]): string[] {
  const reported = ingressOf(service)
    .filter(({ ipMode }) => ipMode === undefined || ipMode === 'VIP')
    .flatMap(({ ip }) => (ip ? [ip] : []));
  return [...new Set([...collectClaimedVips(service, loadBalancers), ...reported])];
}

/** Those claimed only, Fairlead's own: but for what the Service's status gives to a load balancer outside. */
export function collectClaimedVips(service: Service, loadBalancers: readonly LoadBalancer[]): string[] {
  const proxied = new Set(
    ingressOf(service).flatMap(({ ip, ipMode }) => (ip && ipMode === 'Proxy' ? [comparable(ip)] : [])),
  );
  return loadBalancers
    .flatMap(({ spec }) => (spec.addresses ?? []).map(({ address }) => address))
    .filter((address) => !proxied.has(comparable(address)));
}

function ingressOf(service: Service) {
  return service.status?.loadBalancer?.ingress ?? [];
}

function comparable(text: string): string {
  return canonicalAddress(text)?.text ?? text;
}

/** Whether a LoadBalancer is of this very Service, not of a dead namesake. */
export function isOfService(loadBalancer: LoadBalancer, service: Service): boolean {
  const { name, uid } = loadBalancer.spec.service;
  return (
    loadBalancer.metadata.namespace === service.metadata.namespace &&
    name === service.metadata.name &&
    (service.metadata.uid === undefined || uid === service.metadata.uid)
  );
}
