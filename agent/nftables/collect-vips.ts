import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { Service } from '../../kube/objects.ts';
import { canonicalAddress } from '../endpoints/canonical-address.ts';

/** What accepts connections itself (KEP-1860, ipMode Proxy), from the claim on: statuses come later. */
const PROXIES: ReadonlySet<string> = new Set(['aws', 'haproxy', 'bigip']);

/**
 * The load balancers' addresses that nodes forward themselves: those of Fairlead's LoadBalancers, of which the Service's status
 * shows one alone, and those in its status, whoever wrote them. Ingress of ipMode Proxy is left to the load balancer (KEP-1860).
 */
export function collectVips(service: Service, loadBalancers: readonly LoadBalancer[]): string[] {
  const reported = vipsAmong(ingressOf(service));
  return [...new Set([...collectOwnVips(service, loadBalancers), ...reported])];
}

/** Fairlead's own only: but for what a status gives to a load balancer outside. */
export function collectOwnVips(service: Service, loadBalancers: readonly LoadBalancer[]): string[] {
  const ingress = [...ingressOf(service), ...loadBalancers.flatMap(({ status }) => status?.ingress ?? [])];
  const proxied = new Set(
    ingress.flatMap(({ ip, ipMode }) => (ip && ipMode === 'Proxy' ? [comparable(ip)] : [])),
  );
  const own = loadBalancers
    .filter(({ spec }) => !PROXIES.has(spec.provider.type))
    .flatMap(({ spec, status }) => [
      ...(spec.addresses ?? []).map(({ address }) => address),
      ...vipsAmong(status?.ingress ?? []),
    ]);
  return [...new Set(own)].filter((address) => !proxied.has(comparable(address)));
}

function vipsAmong(ingress: readonly { ip?: string | undefined; ipMode?: string | undefined }[]): string[] {
  return ingress.flatMap(({ ip, ipMode }) => (ip && (ipMode === undefined || ipMode === 'VIP') ? [ip] : []));
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
