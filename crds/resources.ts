import { resource } from '../kube/resources.ts';
import type { AddressPool } from './address-pool.ts';
import type { LoadBalancer } from './load-balancer.ts';
import type { LoadBalancerProvider } from './load-balancer-provider.ts';
import type { NodeForwarder } from './node-forwarder.ts';
import type { PortPool } from './port-pool.ts';

export const GROUP = 'fairlead.dev';
export const VERSION = 'v1alpha1';

export const LOAD_BALANCER_PROVIDERS = resource<LoadBalancerProvider>(
  GROUP,
  VERSION,
  'loadbalancerproviders',
  'LoadBalancerProvider',
  false,
);
export const ADDRESS_POOLS = resource<AddressPool>(GROUP, VERSION, 'addresspools', 'AddressPool', false);
export const PORT_POOLS = resource<PortPool>(GROUP, VERSION, 'portpools', 'PortPool', false);
export const LOAD_BALANCERS = resource<LoadBalancer>(GROUP, VERSION, 'loadbalancers', 'LoadBalancer', true);
export const NODE_FORWARDERS = resource<NodeForwarder>(
  GROUP,
  VERSION,
  'nodeforwarders',
  'NodeForwarder',
  false,
);
