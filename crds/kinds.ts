import type { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import type { ResourceType } from '../kube/resources.ts';
import { addressPoolSpecSchema, addressPoolStatusSchema } from './address-pool.ts';
import {
  ADDRESS_POOL_COLUMNS,
  LOAD_BALANCER_COLUMNS,
  LOAD_BALANCER_PROVIDER_COLUMNS,
  NODE_FORWARDER_COLUMNS,
  PORT_POOL_COLUMNS,
  type PrinterColumn,
} from './columns.ts';
import { LOAD_BALANCER_RULES, loadBalancerSpecSchema, loadBalancerStatusSchema } from './load-balancer.ts';
import {
  LOAD_BALANCER_PROVIDER_RULES,
  loadBalancerProviderSpecSchema,
  loadBalancerProviderStatusSchema,
} from './load-balancer-provider.ts';
import {
  NODE_FORWARDER_RULES,
  nodeForwarderSpecSchema,
  nodeForwarderStatusSchema,
} from './node-forwarder.ts';
import { portPoolSpecSchema, portPoolStatusSchema } from './port-pool.ts';
import {
  ADDRESS_POOLS,
  LOAD_BALANCER_PROVIDERS,
  LOAD_BALANCERS,
  NODE_FORWARDERS,
  PORT_POOLS,
} from './resources.ts';
import type { Rule } from './rules.ts';

/** All that the CRD of a kind says beside the fields of its spec and status. */
export interface KindDefinition {
  type: ResourceType<KubeObject>;
  shortName: string;
  /** What the kind is for: the first thing that `kubectl explain` shows. */
  description: string;
  spec: z.ZodObject;
  status: z.ZodObject;
  /** Rules over the whole object; of metadata they see name and generateName only. */
  rules: Rule[];
  columns: PrinterColumn[];
}

/** Every kind of the group, in the order of the documentation. */
export const KINDS: readonly KindDefinition[] = [
  {
    type: LOAD_BALANCER_PROVIDERS,
    shortName: 'lbp',
    description:
      'Says where load balancers come from, for which Services, and how they are kept. A Service asks for it with `spec.loadBalancerClass: fairlead.dev/<name>`, or with the annotation `fairlead.dev/providers`.',
    spec: loadBalancerProviderSpecSchema,
    status: loadBalancerProviderStatusSchema,
    rules: LOAD_BALANCER_PROVIDER_RULES,
    columns: LOAD_BALANCER_PROVIDER_COLUMNS,
  },
  {
    type: ADDRESS_POOLS,
    shortName: 'apool',
    description: 'Addresses that load balancers may be given, and to whom.',
    spec: addressPoolSpecSchema,
    status: addressPoolStatusSchema,
    rules: [],
    columns: ADDRESS_POOL_COLUMNS,
  },
  {
    type: PORT_POOLS,
    shortName: 'ppool',
    description: 'Ports that Services may be given, and to whom: node ports, and forwarding ports.',
    spec: portPoolSpecSchema,
    status: portPoolStatusSchema,
    rules: [],
    columns: PORT_POOL_COLUMNS,
  },
  {
    type: LOAD_BALANCERS,
    shortName: 'lb',
    description:
      'What was decided for one Service at one provider, and how far it has come. The operator writes it; it is named `<service>.<provider>` and goes with its Service.',
    spec: loadBalancerSpecSchema,
    status: loadBalancerStatusSchema,
    rules: LOAD_BALANCER_RULES,
    columns: LOAD_BALANCER_COLUMNS,
  },
  {
    type: NODE_FORWARDERS,
    shortName: 'nf',
    description: "What the agent of one node reports about itself. It has the node's name.",
    spec: nodeForwarderSpecSchema,
    status: nodeForwarderStatusSchema,
    rules: NODE_FORWARDER_RULES,
    columns: NODE_FORWARDER_COLUMNS,
  },
];
