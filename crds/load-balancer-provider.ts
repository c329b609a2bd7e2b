import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import { awsSchema } from './aws-provider.ts';
import { bigipSchema } from './bigip-provider.ts';
import {
  conditionsSchema,
  interfacesSchema,
  labelSelectorSchema,
  observedGenerationSchema,
  type ProviderType,
  providerTypeSchema,
  schemeSchema,
  targetsModeSchema,
} from './common.ts';
import { haproxySchema } from './haproxy-provider.ts';
import { exactlyOneOf, type Rule, sameMember, withRules } from './rules.ts';
import { webhookSchema } from './webhook-provider.ts';

/** Layer 2 announcement by the nodes themselves: ARP (RFC 826) and neighbour discovery (RFC 4861). */
export const announceSchema = z
  .object({
    interfaces: interfacesSchema
      .optional()
      .describe(
        "Interfaces to answer on; without it, the one whose subnet holds the address, else the default route's.",
      ),
    nodeSelector: labelSelectorSchema
      .optional()
      .describe('Nodes that may own addresses, by their labels; without it, every node with a live agent.'),
  })
  .describe(
    'The nodes answer for the addresses themselves, by ARP and neighbour discovery, one node an address. Nothing outside of the cluster is needed; addresses come from AddressPools.',
  );

/** The members of the union: one line each, named as in `providerTypeSchema`. */
const providers = {
  announce: announceSchema.optional(),
  aws: awsSchema.optional(),
  haproxy: haproxySchema.optional(),
  bigip: bigipSchema.optional(),
  webhook: webhookSchema.optional(),
} satisfies Record<ProviderType, z.ZodType>;

const another = 'make another LoadBalancerProvider and move the Services to it';

export const loadBalancerProviderSpecSchema = withRules(
  z.object({
    default: z
      .boolean()
      .default(false)
      .describe(
        'true: serves Services without a loadBalancerClass. If several of a cluster say so, none does, and their conditions tell.',
      ),
    scheme: schemeSchema
      .default('Public')
      .describe(
        'Whether load balancers face the public or stay inside, for those providers that make a difference; a Service may say otherwise with fairlead.dev/scheme.',
      ),
    targets: z
      .object({
        mode: targetsModeSchema
          .default('NodePort')
          .describe(
            'NodePort and ForwardingPort: to a port of the nodes. Pod: straight to the pods, where the network lets it.',
          ),
        nodeSelector: labelSelectorSchema
          .optional()
          .describe('Nodes that get traffic, by their labels; without it, all.'),
        drainSeconds: z
          .int()
          .min(0)
          .max(3600)
          .default(30)
          .describe('How long a leaving target keeps its connections before it is removed.'),
      })
      .default({ mode: 'NodePort', drainSeconds: 30 })
      .describe('What the load balancers send traffic to.'),
    tenants: z
      .object({
        namespaceSelector: labelSelectorSchema
          .optional()
          .describe('Namespaces that may use it, by their labels; without it, all.'),
        maxLoadBalancersPerNamespace: z
          .int()
          .min(1)
          .max(100000)
          .optional()
          .describe('Load balancers that one namespace may have; without it, no limit.'),
      })
      .optional()
      .describe('Who may use this provider, and how much; without it, everybody.'),
    drift: z
      .object({
        policy: z
          .enum(['Repair', 'Report'])
          .default('Repair')
          .describe('Repair: put it back as it ought to be. Report: only say so, in a condition.'),
        intervalSeconds: z
          .int()
          .min(30)
          .max(86400)
          .default(300)
          .describe('How often the provider is asked what it has.'),
      })
      .default({ policy: 'Repair', intervalSeconds: 300 })
      .describe('What to do when someone else changed a load balancer.'),
    deletion: z
      .enum(['Delete', 'Retain'])
      .default('Delete')
      .describe('What becomes of the load balancer when its Service goes. Retain: it is left as it is.'),
    retireSeconds: z
      .int()
      .min(0)
      .max(86400)
      .optional()
      .describe(
        'How long a load balancer goes on serving after its Service moved to other providers, and these serve: as long as clients may have its address, by the TTL of DNS and the interval at which records are written. 600 without it.',
      ),
    ...providers,
  }),
  exactlyOneOf(providerTypeSchema.options),
  sameMember(providerTypeSchema.options, another),
).describe('Where load balancers come from (exactly one of the providers), for whom, and how they are kept.');

/** Rules over a whole LoadBalancerProvider. */
export const LOAD_BALANCER_PROVIDER_RULES: Rule[] = [
  {
    rule: "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$')",
    message:
      'the name stands in loadBalancerClass and in names of objects: use at most 63 lower case letters, digits and dashes, with no dot',
    reason: 'FieldValueInvalid',
  },
];

export const loadBalancerProviderStatusSchema = z
  .object({
    observedGeneration: observedGenerationSchema.optional(),
    type: z.string().max(63).optional().describe('Which of the providers is set: announce, ...'),
    loadBalancers: z.int().min(0).optional().describe('How many load balancers it has.'),
    conditions: conditionsSchema.optional(),
  })
  .describe('What the operator found out; it writes this.');

export type LoadBalancerProviderSpec = z.infer<typeof loadBalancerProviderSpecSchema>;
export type LoadBalancerProviderStatus = z.infer<typeof loadBalancerProviderStatusSchema>;
export type AnnounceConfig = z.infer<typeof announceSchema>;
export interface LoadBalancerProvider extends KubeObject {
  spec: LoadBalancerProviderSpec;
  status?: LoadBalancerProviderStatus;
}
