import type { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import type { ResourceType } from '../kube/resources.ts';
import { addressPoolSpecSchema, addressPoolStatusSchema } from './address-pool.ts';
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

/** A column of `kubectl get`; `wide` ones show with `-o wide` only. */
export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date' | 'boolean';
  jsonPath: string;
  description: string;
  wide?: boolean;
}

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

function condition(type: string, field: 'status' | 'reason' | 'message'): string {
  return `.status.conditions[?(@.type=="${type}")].${field}`;
}

const ready: PrinterColumn = {
  name: 'Ready',
  type: 'string',
  jsonPath: condition('Ready', 'status'),
  description: 'Whether it works.',
};
const reason: PrinterColumn = {
  name: 'Reason',
  type: 'string',
  jsonPath: condition('Ready', 'reason'),
  description: 'Why it is ready, or what holds it up.',
};
const message: PrinterColumn = {
  name: 'Message',
  type: 'string',
  jsonPath: condition('Ready', 'message'),
  description: 'The reason, as a sentence.',
  wide: true,
};
const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Since when it exists.',
};

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
    columns: [
      {
        name: 'Type',
        type: 'string',
        jsonPath: '.status.type',
        description: 'Which member of the spec is set.',
      },
      {
        name: 'Default',
        type: 'boolean',
        jsonPath: '.spec.default',
        description: 'Whether it serves Services without a loadBalancerClass.',
      },
      ready,
      reason,
      {
        name: 'Scheme',
        type: 'string',
        jsonPath: '.spec.scheme',
        description: 'Public or Internal.',
        wide: true,
      },
      {
        name: 'Targets',
        type: 'string',
        jsonPath: '.spec.targets.mode',
        description: 'What traffic is sent to.',
        wide: true,
      },
      {
        name: 'Load Balancers',
        type: 'integer',
        jsonPath: '.status.loadBalancers',
        description: 'How many load balancers it has.',
        wide: true,
      },
      message,
      age,
    ],
  },
  {
    type: ADDRESS_POOLS,
    shortName: 'apool',
    description: 'Addresses that load balancers may be given, and to whom.',
    spec: addressPoolSpecSchema,
    status: addressPoolStatusSchema,
    rules: [],
    columns: [
      {
        name: 'Addresses',
        type: 'string',
        jsonPath: '.spec.addresses',
        description: 'The CIDRs and ranges.',
      },
      { name: 'Total', type: 'string', jsonPath: '.status.total', description: 'Addresses in the pool.' },
      { name: 'Used', type: 'string', jsonPath: '.status.used', description: 'Addresses that are claimed.' },
      { name: 'Free', type: 'string', jsonPath: '.status.free', description: 'Addresses left to give out.' },
      ready,
      reason,
      {
        name: 'Priority',
        type: 'integer',
        jsonPath: '.spec.priority',
        description: 'Higher is tried first.',
        wide: true,
      },
      {
        name: 'Auto Assign',
        type: 'boolean',
        jsonPath: '.spec.autoAssign',
        description: 'Whether Services get addresses from it without asking for it.',
        wide: true,
      },
      {
        name: 'Disabled',
        type: 'boolean',
        jsonPath: '.spec.disabled',
        description: 'Whether it gives out nothing new.',
        wide: true,
      },
      message,
      age,
    ],
  },
  {
    type: PORT_POOLS,
    shortName: 'ppool',
    description: 'Ports that Services may be given, and to whom: node ports, and forwarding ports.',
    spec: portPoolSpecSchema,
    status: portPoolStatusSchema,
    rules: [],
    columns: [
      {
        name: 'Node Ports',
        type: 'string',
        jsonPath: '.spec.nodePorts',
        description: 'Ranges inside the node port range of the cluster.',
      },
      {
        name: 'Node Ports Free',
        type: 'integer',
        jsonPath: '.status.nodePorts.free',
        description: 'Node ports left to give out.',
      },
      {
        name: 'Forwarding Ports',
        type: 'string',
        jsonPath: '.spec.forwardingPorts',
        description: 'Ranges outside the node port range of the cluster.',
      },
      {
        name: 'Forwarding Free',
        type: 'integer',
        jsonPath: '.status.forwardingPorts.free',
        description: 'Forwarding ports left to give out.',
      },
      ready,
      reason,
      {
        name: 'Priority',
        type: 'integer',
        jsonPath: '.spec.priority',
        description: 'Higher is tried first.',
        wide: true,
      },
      message,
      age,
    ],
  },
  {
    type: LOAD_BALANCERS,
    shortName: 'lb',
    description:
      'What was decided for one Service at one provider, and how far it has come. The operator writes it; it is named `<service>.<provider>` and goes with its Service.',
    spec: loadBalancerSpecSchema,
    status: loadBalancerStatusSchema,
    rules: LOAD_BALANCER_RULES,
    columns: [
      {
        name: 'Service',
        type: 'string',
        jsonPath: '.spec.service.name',
        description: 'The Service that it is for.',
      },
      {
        name: 'Provider',
        type: 'string',
        jsonPath: '.spec.provider.name',
        description: 'The LoadBalancerProvider that it comes from.',
      },
      {
        name: 'Address',
        type: 'string',
        jsonPath: '.status.ingress[*].ip',
        description: 'The addresses that it answers on.',
      },
      ready,
      reason,
      {
        name: 'Hostname',
        type: 'string',
        jsonPath: '.status.ingress[*].hostname',
        description: 'The name that it answers on, where the provider gives one.',
        wide: true,
      },
      {
        name: 'Ports',
        type: 'string',
        jsonPath: '.spec.frontends[*].port',
        description: 'The ports that it listens on.',
        wide: true,
      },
      {
        name: 'Healthy',
        type: 'integer',
        jsonPath: '.status.targets.healthy',
        description: 'Targets that answer health checks.',
        wide: true,
      },
      {
        name: 'Provider ID',
        type: 'string',
        jsonPath: '.status.providerID',
        description: "The provider's own id.",
        wide: true,
      },
      message,
      age,
    ],
  },
  {
    type: NODE_FORWARDERS,
    shortName: 'nf',
    description: "What the agent of one node reports about itself. It has the node's name.",
    spec: nodeForwarderSpecSchema,
    status: nodeForwarderStatusSchema,
    rules: NODE_FORWARDER_RULES,
    columns: [
      { name: 'Mode', type: 'string', jsonPath: '.status.mode', description: 'All or Own.' },
      {
        name: 'Services',
        type: 'integer',
        jsonPath: '.status.services',
        description: 'Services that the node forwards.',
      },
      {
        name: 'Announced',
        type: 'integer',
        jsonPath: '.status.announcedCount',
        description: 'Addresses that the node answers for.',
      },
      ready,
      reason,
      {
        name: 'Endpoints',
        type: 'integer',
        jsonPath: '.status.endpoints',
        description: 'Endpoints that it forwards to.',
        wide: true,
      },
      {
        name: 'Generation',
        type: 'integer',
        jsonPath: '.status.generation',
        description: 'Changes committed to the kernel since the agent started.',
        wide: true,
      },
      {
        name: 'Version',
        type: 'string',
        jsonPath: '.status.version',
        description: 'Of the agent.',
        wide: true,
      },
      message,
      age,
    ],
  },
];
