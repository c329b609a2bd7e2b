import type { ExternalIpRule } from './endpoints/decide-external-ip.ts';
import type { Place } from './endpoints/decide-topology.ts';

/**
 * - `All`: every Service, in the place of kube-proxy;
 * - `Own`: beside another proxy, what belongs to Fairlead: addresses and forwarding ports of its load balancers, and Services
 *   with the label `service.kubernetes.io/service-proxy-name: fairlead`.
 */
export type ServeMode = 'All' | 'Own';

/** What the rules of a Service depend on beside the Service. */
export interface NodeContext extends Place {
  /** The node's own, as `canonicalAddress` writes them. */
  addresses: readonly string[];
  serve: ServeMode;
  externalIps: readonly ExternalIpRule[];
}
