import { z } from 'zod';
import type { KubeObject } from '../kube/objects.ts';
import { ADDRESS_ENTRY_RULES, ADDRESS_LIST_RULES } from './address-rules.ts';
import { conditionsSchema, labelSelectorSchema, observedGenerationSchema } from './common.ts';
import { noDuplicates, withRules } from './rules.ts';

/** Two IPv6 addresses and a dash: 39 + 1 + 39 characters. */
const ENTRY_LENGTH = 79;

export const addressPoolSpecSchema = z
  .object({
    addresses: withRules(
      z
        .array(
          withRules(z.string().min(2).max(ENTRY_LENGTH), ...ADDRESS_ENTRY_RULES).describe(
            'A CIDR (192.0.2.0/28, 2001:db8::/120) or a range (192.0.2.10-192.0.2.20).',
          ),
        )
        .min(1)
        .max(64),
      ...ADDRESS_LIST_RULES,
    ).describe(
      'The addresses, of either family. All of a CIDR are given out, its first and last too. What is claimed stays claimed when it is taken out here; the pool then has a condition that says so.',
    ),
    providers: withRules(
      z.array(z.string().min(1).max(63).describe('The name of a LoadBalancerProvider.')).max(32),
      noDuplicates('provider'),
    )
      .optional()
      .describe('Providers that draw from this pool; without any, every provider that needs addresses.'),
    namespaceSelector: labelSelectorSchema
      .optional()
      .describe('Namespaces whose Services may draw from it, by their labels; without it, all.'),
    serviceSelector: labelSelectorSchema
      .optional()
      .describe('Services that may draw from it, by their labels; without it, all.'),
    priority: z
      .int()
      .min(-1000)
      .max(1000)
      .default(0)
      .describe('Of the pools that a Service may draw from, the highest is tried first; equals by name.'),
    autoAssign: z
      .boolean()
      .default(true)
      .describe(
        'false: only Services that ask for this pool (fairlead.dev/address-pool), or for an address in it, get one.',
      ),
    disabled: z
      .boolean()
      .default(false)
      .describe('true: nothing new is given out; what is claimed stays claimed.'),
  })
  .describe('Which addresses, and to whom.');

export const addressPoolStatusSchema = z
  .object({
    observedGeneration: observedGenerationSchema.optional(),
    total: z
      .string()
      .max(64)
      .optional()
      .describe('How many addresses it has. Counts are strings: an IPv6 /64 is more than an integer holds.'),
    used: z.string().max(64).optional().describe('How many of them are claimed.'),
    free: z.string().max(64).optional().describe('How many of them are left.'),
    conditions: conditionsSchema.optional(),
  })
  .describe('What the operator found out; it writes this.');

export type AddressPoolSpec = z.infer<typeof addressPoolSpecSchema>;
export type AddressPoolStatus = z.infer<typeof addressPoolStatusSchema>;
export interface AddressPool extends KubeObject {
  spec: AddressPoolSpec;
  status?: AddressPoolStatus;
}
