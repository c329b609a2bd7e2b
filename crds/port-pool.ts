import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import { conditionsSchema, labelSelectorSchema, observedGenerationSchema } from './common.ts';
import { PORT_ENTRY_RULES, PORT_LIST_RULES, PORT_POOL_RULES } from './port-rules.ts';
import { withRules } from './rules.ts';

/** `first-last`, or one port. */
const portRange = withRules(z.string().min(1).max(11), ...PORT_ENTRY_RULES).describe(
  'A range (31000-31999) or one port (31000).',
);
const portRanges = withRules(z.array(portRange).max(32), ...PORT_LIST_RULES);

export const portPoolSpecSchema = withRules(
  z.object({
    nodePorts: portRanges
      .optional()
      .describe(
        "Ports inside the cluster's node port range. Its lowest part is left to people who choose their own (KEP-3668); ports there aren't given out.",
      ),
    forwardingPorts: portRanges
      .optional()
      .describe(
        'Ports outside the node port range, for Services with allocateLoadBalancerNodePorts: false. The agents forward them as they forward node ports, so nothing else on the nodes may listen there.',
      ),
    namespaceSelector: labelSelectorSchema
      .optional()
      .describe('Namespaces whose Services may draw from it, by their labels; without it, all.'),
    priority: z
      .int()
      .min(-1000)
      .max(1000)
      .default(0)
      .describe('Of the pools that a Service may draw from, the highest is tried first; equals by name.'),
    autoAssign: z
      .boolean()
      .default(true)
      .describe('false: only Services that name this pool in fairlead.dev/port-pool draw from it.'),
    disabled: z
      .boolean()
      .default(false)
      .describe('true: nothing new is given out; what is claimed stays claimed.'),
  }),
  ...PORT_POOL_RULES,
).describe('Which ports, and to whom.');

const countsSchema = z.object({
  total: z.int().min(0).describe('How many it can give out in all.'),
  used: z.int().min(0).describe('How many of them are claimed.'),
  free: z.int().min(0).describe('How many of them are left.'),
});

export const portPoolStatusSchema = z
  .object({
    observedGeneration: observedGenerationSchema.optional(),
    nodePorts: countsSchema.optional().describe('Counts of the node ports.'),
    forwardingPorts: countsSchema.optional().describe('Counts of the forwarding ports.'),
    conditions: conditionsSchema.optional(),
  })
  .describe('What the operator found out; it writes this.');

export type PortPoolSpec = z.infer<typeof portPoolSpecSchema>;
export type PortPoolStatus = z.infer<typeof portPoolStatusSchema>;
export interface PortPool extends KubeObject {
  spec: PortPoolSpec;
  status?: PortPoolStatus;
}
