import { z } from 'zod';

/** `metav1.Condition` as a list-map, on the status of every kind. */
export const conditionsSchema = z
  .array(
    z.object({
      type: z.string().min(1).max(316),
      status: z.enum(['True', 'False', 'Unknown']),
      reason: z.string().min(1).max(1024),
      message: z.string().max(32768),
      lastTransitionTime: z.string().meta({ format: 'date-time' }),
      observedGeneration: z.int().min(0).optional(),
    }),
  )
  .max(32)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

/** `metav1.LabelSelector`; an empty one selects everything, an absent one is said where it is used. */
export const labelSelectorSchema = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.object({
        key: z.string().min(1).max(316),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string().max(63)).max(64).optional(),
      }),
    )
    .max(16)
    .optional(),
});

export const portNumber = z.int().min(1).max(65535);
export const ipFamilySchema = z.enum(['IPv4', 'IPv6']);
export const protocolSchema = z.enum(['TCP', 'UDP', 'SCTP']);
export const schemeSchema = z.enum(['Public', 'Internal']);
export const targetsModeSchema = z.enum(['NodePort', 'ForwardingPort', 'Pod']);
export const providerTypeSchema = z.enum(['announce']);

export type Scheme = z.infer<typeof schemeSchema>;
export type TargetsMode = z.infer<typeof targetsModeSchema>;
export type ProviderType = z.infer<typeof providerTypeSchema>;
