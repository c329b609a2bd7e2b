import { z } from 'zod';
import { noDuplicates, withRules } from './rules.ts';

/** `metav1.Condition` as a list-map, on the status of every kind. */
export const conditionsSchema = z
  .array(
    z
      .object({
        type: z.string().min(1).max(316).describe('What it is about, in one word: Ready, Accepted, ...'),
        status: z.enum(['True', 'False', 'Unknown']).describe('Whether it is so.'),
        reason: z
          .string()
          .min(1)
          .max(1024)
          .describe('Why, in one word; events, logs and metrics have the same one.'),
        message: z.string().max(32768).describe('Why, in a sentence for a person.'),
        lastTransitionTime: z.string().meta({ format: 'date-time' }).describe('When status changed last.'),
        observedGeneration: z
          .int()
          .min(0)
          .optional()
          .describe('The metadata.generation that this was found out for.'),
      })
      .describe('One thing that has been found out.'),
  )
  .max(32)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
  .describe('What has been found out, one entry a type.');

const requirementSchema = withRules(
  z.object({
    key: z.string().min(1).max(317).describe('The key of the label.'),
    operator: z
      .enum(['In', 'NotIn', 'Exists', 'DoesNotExist'])
      .describe(
        'In and NotIn compare the label with `values` (NotIn is also true without the label); Exists and DoesNotExist ask only whether there is such a label.',
      ),
    values: z
      .array(z.string().max(63).describe('A value of the label.'))
      .max(64)
      .optional()
      .describe('For In and NotIn, one value at least.'),
  }),
  {
    rule: "!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",
    message: 'In and NotIn need values to compare with: give one at least, or use Exists or DoesNotExist',
    reason: 'FieldValueRequired',
    fieldPath: '.values',
  },
  {
    rule: "!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || size(self.values) == 0",
    message: 'Exists and DoesNotExist look at the key only: leave out values, or use In or NotIn',
    reason: 'FieldValueForbidden',
    fieldPath: '.values',
  },
);

/** `metav1.LabelSelector`; an empty one selects everything, an absent one is said where it is used. */
export const labelSelectorSchema = z
  .object({
    matchLabels: z
      .record(z.string(), z.string().max(63).describe('The value.'))
      .meta({ maxProperties: 64 })
      .optional()
      .describe('Labels that must be there with this value.'),
    matchExpressions: z
      .array(requirementSchema.describe('One requirement.'))
      .max(16)
      .optional()
      .describe('Requirements that must all be met.'),
  })
  .describe('Selects by labels: all that is said here must be met. An empty one ({}) selects everything.');

export const portNumber = z.int().min(1).max(65535);
export const ipFamilySchema = z.enum(['IPv4', 'IPv6']);
export const protocolSchema = z.enum(['TCP', 'UDP', 'SCTP']);
export const schemeSchema = z.enum(['Public', 'Internal']);
export const targetsModeSchema = z.enum(['NodePort', 'ForwardingPort', 'Pod']);
/** The members of the union in LoadBalancerProvider, each with its schema there. */
export const providerTypeSchema = z.enum(['announce', 'aws', 'haproxy', 'bigip', 'webhook']);

/** Names of network interfaces, as Linux takes them. */
export const interfacesSchema = withRules(
  z
    .array(
      withRules(z.string().min(1).max(15).describe('The name of an interface, such as eth0.'), {
        rule: "self.matches('^[^/:[:space:]]+$') && self != '.' && self != '..'",
        message: "an interface's name has no blank, slash or colon: see `ip link` on the node",
        reason: 'FieldValueInvalid',
      }),
    )
    .min(1)
    .max(16),
  noDuplicates('interface'),
);

export const observedGenerationSchema = z
  .int()
  .min(0)
  .describe('The metadata.generation that this status was found out for.');

export type Scheme = z.infer<typeof schemeSchema>;
export type TargetsMode = z.infer<typeof targetsModeSchema>;
export type ProviderType = z.infer<typeof providerTypeSchema>;
