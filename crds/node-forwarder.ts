import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import { conditionsSchema } from './common.ts';

export const nodeForwarderSpecSchema = z.object({
  /** The Node that the agent runs on; the object has the same name. */
  nodeName: z.string().min(1).max(253),
});

/** The agent's own report. Counts, never one entry a Service, so that its size doesn't grow with the cluster. */
export const nodeForwarderStatusSchema = z.object({
  version: z.string().max(64).optional(),
  mode: z.enum(['All', 'Own']).optional(),
  /** Transactions committed to the kernel since the agent started. */
  generation: z.int().min(0).optional(),
  services: z.int().min(0).optional(),
  endpoints: z.int().min(0).optional(),
  elements: z.int().min(0).optional(),
  announced: z.array(z.string().max(45)).max(1024).optional(),
  announcedCount: z.int().min(0).optional(),
  conditions: conditionsSchema.optional(),
});

export type NodeForwarderSpec = z.infer<typeof nodeForwarderSpecSchema>;
export type NodeForwarderStatus = z.infer<typeof nodeForwarderStatusSchema>;
export interface NodeForwarder extends KubeObject {
  spec: NodeForwarderSpec;
  status?: NodeForwarderStatus;
}
