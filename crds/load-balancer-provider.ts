import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import { conditionsSchema, labelSelectorSchema, schemeSchema, targetsModeSchema } from './common.ts';

/** Layer 2 announcement by the nodes themselves: ARP (RFC 826) and neighbour discovery (RFC 4861). */
export const announceSchema = z.object({
  /** Interfaces to answer on; without any, the one whose subnet holds the address, else the default route's. */
  interfaces: z.array(z.string().min(1).max(15)).max(16).optional(),
  /** Nodes that may own addresses; without it, every node with a live agent. */
  nodeSelector: labelSelectorSchema.optional(),
});

export const loadBalancerProviderSpecSchema = z.object({
  /** Serves Services without a `loadBalancerClass`. One provider of the cluster at most. */
  default: z.boolean().default(false),
  scheme: schemeSchema.default('Public'),
  targets: z
    .object({
      mode: targetsModeSchema.default('NodePort'),
      nodeSelector: labelSelectorSchema.optional(),
      /** How long a leaving target keeps its connections before it is removed. */
      drainSeconds: z.int().min(0).max(3600).default(30),
    })
    .default({ mode: 'NodePort', drainSeconds: 30 }),
  /** Which namespaces may use this provider; without it, all. */
  tenants: z
    .object({
      namespaceSelector: labelSelectorSchema.optional(),
      /** Load balancers that one namespace may have; without it, no limit. */
      maxLoadBalancersPerNamespace: z.int().min(1).max(100000).optional(),
    })
    .optional(),
  drift: z
    .object({
      policy: z.enum(['Repair', 'Report']).default('Repair'),
      intervalSeconds: z.int().min(30).max(86400).default(300),
    })
    .default({ policy: 'Repair', intervalSeconds: 300 }),
  deletion: z.enum(['Delete', 'Retain']).default('Delete'),
  announce: announceSchema.optional(),
});

export const loadBalancerProviderStatusSchema = z.object({
  observedGeneration: z.int().min(0).optional(),
  /** Which member of the union is set: `announce`, ... */
  type: z.string().optional(),
  loadBalancers: z.int().min(0).optional(),
  conditions: conditionsSchema.optional(),
});

export type LoadBalancerProviderSpec = z.infer<typeof loadBalancerProviderSpecSchema>;
export type LoadBalancerProviderStatus = z.infer<typeof loadBalancerProviderStatusSchema>;
export type AnnounceConfig = z.infer<typeof announceSchema>;
export interface LoadBalancerProvider extends KubeObject {
  spec: LoadBalancerProviderSpec;
  status?: LoadBalancerProviderStatus;
}
