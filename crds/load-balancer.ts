import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import { CLAIMED_ADDRESS_RULES } from './address-rules.ts';
import { awsOptionsSchema } from './aws-provider.ts';
import {
  conditionsSchema,
  interfacesSchema,
  ipFamilySchema,
  labelSelectorSchema,
  observedGenerationSchema,
  portNumber,
  protocolSchema,
  providerTypeSchema,
  schemeSchema,
  targetsModeSchema,
} from './common.ts';
import { edgeReportSchema, haproxyOptionsSchema } from './haproxy-provider.ts';
import { immutable, type Rule, withRules } from './rules.ts';

const theOperatorsOwn = 'the operator makes another LoadBalancer instead; delete this one if it is left over';

/**
 * A port of the nodes stands for one frontend of its protocol only. Each is made one number, so that the API server's own
 * functions compare them: comparing each frontend with each in CEL takes it seconds for 256.
 */
function oncePerProtocol(field: string): Rule {
  const number = `f.${field} + (f.protocol == 'TCP' ? 0 : f.protocol == 'UDP' ? 100000 : 200000)`;
  const numbers = `self.filter(f, has(f.${field})).map(f, ${number})`;
  return {
    rule: `[${numbers}].all(list, list.all(n, list.indexOf(n) == list.lastIndexOf(n)))`,
    message: `two frontends of one protocol can't share a ${field}: claim another`,
    reason: 'FieldValueInvalid',
  };
}

const claimedAddressSchema = withRules(
  z.object({
    address: z.string().min(2).max(45).describe('The address.'),
    family: ipFamilySchema.describe('IPv4 or IPv6.'),
    pool: z.string().min(1).max(253).describe('The AddressPool that it came from.'),
  }),
  ...CLAIMED_ADDRESS_RULES,
).describe('A claimed address.');

const frontendSchema = z
  .object({
    name: z.string().max(63).optional().describe("The name of the Service's port."),
    protocol: protocolSchema.describe('TCP, UDP or SCTP.'),
    port: portNumber.describe('The port that clients use.'),
    appProtocol: z
      .string()
      .max(253)
      .optional()
      .describe('What is spoken there, as the Service says: kubernetes.io/h2c, ...'),
    nodePort: portNumber.optional().describe('The port of the nodes that leads to it.'),
    forwardingPort: portNumber
      .optional()
      .describe(
        'The port claimed from a PortPool that leads to it; nodes forward it as they forward a node port.',
      ),
    portPool: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('The PortPool that nodePort or forwardingPort came from.'),
  })
  .describe('A port of the Service.');

/**
 * What was decided for one Service at one provider. The object is named `<service>.<provider>` (a Service's name has no
 * dot, so that no two pairs share a name) and is owned by the Service. `addresses` and the ports' numbers are claims:
 * they are written here before anything uses them, and kept until the Service lets them go.
 */
export const loadBalancerSpecSchema = z
  .object({
    service: withRules(
      z.object({
        name: z.string().min(1).max(63).describe('Its name; it is in the same namespace.'),
        uid: z.string().min(1).max(64).describe('Its UID: a Service of the same name made later is another.'),
      }),
      immutable('the Service of a LoadBalancer', theOperatorsOwn),
    ).describe('The Service that it is for.'),
    provider: withRules(
      z.object({
        name: z.string().min(1).max(63).describe('The name of the LoadBalancerProvider.'),
        type: providerTypeSchema.describe('Which member of its spec is set.'),
      }),
      immutable('the provider of a LoadBalancer', theOperatorsOwn),
    ).describe('The provider that it comes from.'),
    scheme: schemeSchema.describe('Whether it faces the public or stays inside.'),
    addresses: z
      .array(claimedAddressSchema)
      .max(8)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['address'] })
      .optional()
      .describe(
        "Addresses claimed from AddressPools. What stands here is nobody else's, until it is taken out or the object is gone.",
      ),
    sharedAddress: z
      .string()
      .min(1)
      .max(63)
      .optional()
      .describe(
        "Services of one namespace with the same key share their addresses, as long as their ports don't clash.",
      ),
    frontends: withRules(
      z.array(frontendSchema).max(256),
      oncePerProtocol('nodePort'),
      oncePerProtocol('forwardingPort'),
    )
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['protocol', 'port'] })
      .optional()
      .describe('What it listens on: one entry a protocol and port.'),
    targets: z
      .object({
        mode: targetsModeSchema.describe('What traffic is sent to.'),
        nodeSelector: labelSelectorSchema
          .optional()
          .describe('Nodes that get traffic, by their labels; without it, all.'),
        drainSeconds: z.int().min(0).max(3600).describe('How long a leaving target keeps its connections.'),
      })
      .describe('What it sends traffic to, as the provider says.'),
    externalTrafficPolicy: z
      .enum(['Cluster', 'Local'])
      .describe('Local: only to pods of the node that traffic comes to; the client address is kept.'),
    healthCheckNodePort: portNumber
      .optional()
      .describe(
        'The port of the nodes that tells whether they have an endpoint, with externalTrafficPolicy Local.',
      ),
    ipFamilies: z
      .array(ipFamilySchema.describe('IPv4 or IPv6.'))
      .max(2)
      .optional()
      .describe('The families that the Service has, for providers outside of the cluster.'),
    sourceRanges: z
      .array(z.string().max(64).describe('A CIDR.'))
      .max(256)
      .optional()
      .describe('Who may connect, by loadBalancerSourceRanges; without it, everybody.'),
    sessionAffinitySeconds: z
      .int()
      .min(1)
      .max(86400)
      .optional()
      .describe('How long a client keeps its target, with sessionAffinity ClientIP.'),
    healthCheckPath: z.string().max(1024).optional().describe('What health checks ask for over HTTP.'),
    aws: awsOptionsSchema.optional(),
    haproxy: haproxyOptionsSchema.optional(),
    announce: z
      .object({
        interfaces: interfacesSchema.optional().describe('Interfaces to answer on.'),
        nodeSelector: labelSelectorSchema
          .optional()
          .describe('Nodes that may own the addresses, by their labels; without it, all.'),
      })
      .optional()
      .describe(
        'For the agents, when the provider is of type announce: where and by whom addresses are answered.',
      ),
  })
  .describe('What was decided. The operator writes it; to change it, change the Service or the provider.');

/** Rules over a whole LoadBalancer. */
export const LOAD_BALANCER_RULES: Rule[] = [
  {
    rule: "self.metadata.name == self.spec.service.name + '.' + self.spec.provider.name",
    message: 'a LoadBalancer is named <service>.<provider>: rename it, or let the operator make it',
    reason: 'FieldValueInvalid',
  },
];

export const loadBalancerStatusSchema = z
  .object({
    observedGeneration: observedGenerationSchema.optional(),
    providerID: z
      .string()
      .max(2048)
      .optional()
      .describe("The provider's own id: an ARN, the path of a virtual server, ..."),
    ingress: z
      .array(
        z
          .object({
            ip: z.string().max(45).optional().describe('The address.'),
            hostname: z.string().max(253).optional().describe('The name, where the provider gives a name.'),
            ipMode: z
              .enum(['VIP', 'Proxy'])
              .optional()
              .describe(
                'VIP: traffic reaches the nodes with this destination. Proxy: with the address of a node.',
              ),
          })
          .describe('One address or name.'),
      )
      .max(8)
      .optional()
      .describe('Where clients find it.'),
    applied: z
      .string()
      .max(128)
      .optional()
      .describe('A digest of what was carried out wholly, and for which generation.'),
    targets: z
      .object({
        desired: z.int().min(0).describe('How many there ought to be.'),
        healthy: z.int().min(0).describe('How many answer health checks.'),
      })
      .optional()
      .describe('Counts of its targets.'),
    edges: z
      .array(edgeReportSchema)
      .max(16)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .optional()
      .describe('Of the provider haproxy: what each edge says; each writes its own entry.'),
    conditions: conditionsSchema.optional(),
  })
  .describe('How far it has come; the operator writes this.');

export type LoadBalancerSpec = z.infer<typeof loadBalancerSpecSchema>;
export type LoadBalancerStatus = z.infer<typeof loadBalancerStatusSchema>;
export type AddressClaim = NonNullable<LoadBalancerSpec['addresses']>[number];
export type Frontend = NonNullable<LoadBalancerSpec['frontends']>[number];
export interface LoadBalancer extends KubeObject {
  spec: LoadBalancerSpec;
  status?: LoadBalancerStatus;
}
