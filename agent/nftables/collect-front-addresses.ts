import type { LoadBalancer } from '../../crds/load-balancer.ts';
import type { Service } from '../../kube/objects.ts';
import { type Address, canonicalAddress, type Family } from '../endpoints/canonical-address.ts';
import { mayHaveExternalIp } from '../endpoints/decide-external-ip.ts';
import type { ServedPart } from '../endpoints/decide-served.ts';
import type { NodeContext } from '../node-context.ts';
import { collectOwnVips, collectVips } from './collect-vips.ts';
import { UnusableServiceError } from './unusable-service-error.ts';

/** The addresses of one family that clients dial. */
export interface FrontAddresses {
  clusterIp: string;
  /** Of load balancers. */
  vips: string[];
  /** `spec.externalIPs`, as far as they are allowed. */
  externalIps: string[];
}

export interface CollectedAddresses {
  /** A family without a ClusterIP isn't served, whatever addresses it has (as kube-proxy). */
  byFamily: Map<Family, FrontAddresses>;
  /** `spec.externalIPs` that no rule allows. */
  notAllowed: string[];
}

/** Where a Service is reached, of the part of it that is served here. Throws UnusableServiceError. */
export function collectFrontAddresses(
  service: Service,
  loadBalancers: readonly LoadBalancer[],
  part: ServedPart,
  node: NodeContext,
): CollectedAddresses {
  const { clusterIP, clusterIPs, externalIPs = [] } = service.spec;
  const byFamily = new Map<Family, FrontAddresses>();
  for (const text of clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP])) {
    const { family, text: clusterIp } = read(text, 'clusterIP ');
    byFamily.set(family, { clusterIp, vips: [], externalIps: [] });
  }
  const vips =
    part === 'LoadBalancers' ? collectOwnVips(service, loadBalancers) : collectVips(service, loadBalancers);
  for (const { family, text } of vips.map((vip) => read(vip))) byFamily.get(family)?.vips.push(text);
  const notAllowed: string[] = [];
  for (const address of (part === 'LoadBalancers' ? [] : externalIPs).map((each) => read(each))) {
    if (mayHaveExternalIp(address, service.metadata.namespace, node.externalIps)) {
      byFamily.get(address.family)?.externalIps.push(address.text);
    } else notAllowed.push(address.text);
  }
  return { byFamily, notAllowed };
}

function read(text: string, what = ''): Address {
  const address = canonicalAddress(text);
  if (address === null) throw new UnusableServiceError(`${what}${JSON.stringify(text)} is no address`);
  return address;
}
