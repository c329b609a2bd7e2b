import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import { conditionsSchema, labelSelectorSchema } from './common.ts';

const portRange = z.string().min(1).max(11);

export const portPoolSpecSchema = z.object({
  /** Inside the cluster's node port range, outside its static band (KEP-3668): `31000-31999`, or one port. */
  nodePorts: z.array(portRange).max(32).optional(),
  /** Outside the node port range, for Services with `allocateLoadBalancerNodePorts: false`. */
  forwardingPorts: z.array(portRange).max(32).optional(),
  namespaceSelector: labelSelectorSchema.optional(),
  priority: z.int().min(-1000).max(1000).default(0),
  /** false: only Services that name this pool in `fairlead.dev/port-pool` draw from it. */
  autoAssign: z.boolean().default(true),
  disabled: z.boolean().default(false),
});

const countsSchema = z.object({
  total: z.int().min(0),
  used: z.int().min(0),
  free: z.int().min(0),
});

export const portPoolStatusSchema = z.object({
  observedGeneration: z.int().min(0).optional(),
  nodePorts: countsSchema.optional(),
  forwardingPorts: countsSchema.optional(),
  conditions: conditionsSchema.optional(),
});

export type PortPoolSpec = z.infer<typeof portPoolSpecSchema>;
export type PortPoolStatus = z.infer<typeof portPoolStatusSchema>;
export interface PortPool extends KubeObject {
  spec: PortPoolSpec;
  status?: PortPoolStatus;
}
