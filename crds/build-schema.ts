import { z } from 'zod';

/** A structural schema as CRDs want it (OpenAPI v3, no references). */
export type StructuralSchema = { [key: string]: unknown };

/** Keywords that zod writes and that the API server refuses or ignores in a CRD. */
const DROPPED = new Set(['$schema', 'additionalProperties', 'propertyNames']);

/**
 * A zod schema as the structural schema of a CRD. Defaults are kept and fields with one are optional, since what
 * is described is the input.
 *
 * The rules of CRDs: `additionalProperties` never beside `properties` (unknown fields are pruned anyway), no
 * `$schema`; bounds that only say "a safe integer" are left out, and integers carry a format.
 */
export function buildSchema(schema: z.ZodType): StructuralSchema {
  return clean(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' }));
}

function clean(node: object): StructuralSchema {
  const result: StructuralSchema = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === 'properties') result[key] = cleanEach(value);
    else if (key === 'items') result[key] = clean(value);
    else if (key === 'additionalProperties' && typeof value === 'object' && !('properties' in node)) {
      result[key] = clean(value);
    } else if (!DROPPED.has(key)) result[key] = value;
  }
  return result.type === 'integer' ? withFormat(result) : result;
}

function cleanEach(properties: object): StructuralSchema {
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, clean(value)]));
}

function withFormat(integer: StructuralSchema): StructuralSchema {
  const { minimum, maximum, ...rest } = integer;
  const lower = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const upper = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  return {
    ...rest,
    format: upper === undefined ? 'int64' : 'int32',
    ...(lower === undefined ? {} : { minimum: lower }),
    ...(upper === undefined ? {} : { maximum: upper }),
  };
}
