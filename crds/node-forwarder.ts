import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import { conditionsSchema, observedGenerationSchema } from './common.ts';
import { immutable, type Rule, withRules } from './rules.ts';

export const nodeForwarderSpecSchema = z
  .object({
    nodeName: withRules(
      z.string().min(1).max(253),
      immutable('nodeName', 'each node has a NodeForwarder of its own'),
    ).describe('The Node that the agent runs on; the object has the same name.'),
  })
  .describe('Which node it is about.');

/** Rules over a whole NodeForwarder. */
export const NODE_FORWARDER_RULES: Rule[] = [
  {
    rule: 'self.metadata.name == self.spec.nodeName',
    message: 'a NodeForwarder has the name of its node: make metadata.name and spec.nodeName the same',
    reason: 'FieldValueInvalid',
    fieldPath: '.spec.nodeName',
  },
];

/** The agent's own report. Counts, never one entry a Service, so that its size doesn't grow with the cluster. */
export const nodeForwarderStatusSchema = z
  .object({
    observedGeneration: observedGenerationSchema.optional(),
    version: z.string().max(64).optional().describe('The version of the agent.'),
    mode: z
      .enum(['All', 'Own'])
      .optional()
      .describe(
        'All: it forwards every Service, in the place of kube-proxy. Own: it forwards what Fairlead has given out, beside a kube-proxy.',
      ),
    generation: z
      .int()
      .min(0)
      .optional()
      .describe('Changes committed to the kernel since the agent started.'),
    services: z.int().min(0).optional().describe('Services that it forwards.'),
    endpoints: z.int().min(0).optional().describe('Endpoints that it forwards to.'),
    elements: z.int().min(0).optional().describe('Elements in its nftables maps and sets.'),
    announced: z
      .array(z.string().max(45).describe('An address.'))
      .max(1024)
      .optional()
      .describe('Addresses that it answers for at the moment, the first 1,024 of them.'),
    announcedCount: z.int().min(0).optional().describe('How many addresses it answers for.'),
    conditions: conditionsSchema.optional(),
  })
  .describe("The agent's own report; it writes this.");

export type NodeForwarderSpec = z.infer<typeof nodeForwarderSpecSchema>;
export type NodeForwarderStatus = z.infer<typeof nodeForwarderStatusSchema>;
export interface NodeForwarder extends KubeObject {
  spec: NodeForwarderSpec;
  status?: NodeForwarderStatus;
}
