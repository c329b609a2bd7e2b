import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import { conditionsSchema, labelSelectorSchema } from './common.ts';

export const addressPoolSpecSchema = z.object({
  /** CIDRs (`192.0.2.0/28`, `2001:db8::/120`) and ranges (`192.0.2.10-192.0.2.20`), of either family. */
  addresses: z.array(z.string().min(2).max(91)).min(1).max(64),
  /** Providers that draw from this pool; without any, every provider that needs addresses. */
  providers: z.array(z.string().min(1).max(63)).max(32).optional(),
  /** Namespaces whose Services may draw from it; without it, all. */
  namespaceSelector: labelSelectorSchema.optional(),
  /** Services that may draw from it; without it, all. */
  serviceSelector: labelSelectorSchema.optional(),
  /** Higher is tried first; equal ones in order of name. */
  priority: z.int().min(-1000).max(1000).default(0),
  /** false: only Services that ask for this pool, or for an address in it, get one. */
  autoAssign: z.boolean().default(true),
  /** true: nothing new is given out; what is claimed stays. */
  disabled: z.boolean().default(false),
});

export const addressPoolStatusSchema = z.object({
  observedGeneration: z.int().min(0).optional(),
  /** Counts are strings, since a /64 of IPv6 doesn't fit in an integer. */
  total: z.string().optional(),
  used: z.string().optional(),
  free: z.string().optional(),
  conditions: conditionsSchema.optional(),
});

export type AddressPoolSpec = z.infer<typeof addressPoolSpecSchema>;
export type AddressPoolStatus = z.infer<typeof addressPoolStatusSchema>;
export interface AddressPool extends KubeObject {
  spec: AddressPoolSpec;
  status?: AddressPoolStatus;
}
