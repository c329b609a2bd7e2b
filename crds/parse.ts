import { z } from 'zod';
import type { KubeObject, ObjectMeta } from '../kube/objects.ts';
import { addressPoolSpecSchema, addressPoolStatusSchema } from './address-pool.ts';
import { loadBalancerSpecSchema, loadBalancerStatusSchema } from './load-balancer.ts';
import {
  loadBalancerProviderSpecSchema,
  loadBalancerProviderStatusSchema,
} from './load-balancer-provider.ts';
import { nodeForwarderSpecSchema, nodeForwarderStatusSchema } from './node-forwarder.ts';
import { portPoolSpecSchema, portPoolStatusSchema } from './port-pool.ts';

/** What is wrong with an object, in the shape of a condition. */
export interface ParseFinding {
  reason: 'InvalidSpec';
  /** Names the field, and what it has to be. */
  message: string;
}

export type Parsed<T> = { kind: 'valid'; object: T } | { kind: 'invalid'; findings: ParseFinding[] };

/** Reads an object as it came from the API server. Never throws. */
export type Parser<Spec, Status> = (raw: unknown) => Parsed<KubeObject & { spec: Spec; status?: Status }>;

const metadataSchema = z.custom<ObjectMeta>(
  (value) => typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string',
  'must be there, with a name',
);

/** Where the findings end, whatever an object holds. */
const MOST_FINDINGS = 16;

export const parseLoadBalancerProvider = parserOf(
  loadBalancerProviderSpecSchema,
  loadBalancerProviderStatusSchema,
);
export const parseAddressPool = parserOf(addressPoolSpecSchema, addressPoolStatusSchema);
export const parsePortPool = parserOf(portPoolSpecSchema, portPoolStatusSchema);
export const parseLoadBalancer = parserOf(loadBalancerSpecSchema, loadBalancerStatusSchema);
export const parseNodeForwarder = parserOf(nodeForwarderSpecSchema, nodeForwarderStatusSchema);

/**
 * The API server has checked every object and filled in the defaults, unless its CRD is of another version than this
 * program: then this fills them in, and says what doesn't fit instead of failing somewhere further in. Types and bounds are
 * checked, CEL rules are not. A status that doesn't fit is left out: it is written anew anyway.
 */
function parserOf<Spec, Status>(spec: z.ZodType<Spec>, status: z.ZodType<Status>): Parser<Spec, Status> {
  const schema = z.object({
    apiVersion: z.string().optional(),
    kind: z.string().optional(),
    metadata: metadataSchema,
    spec,
    status: status.optional().catch(undefined),
  });
  return (raw) => {
    const parsed = schema.safeParse(raw);
    if (!parsed.success) return { kind: 'invalid', findings: findingsOf(parsed.error) };
    const { apiVersion, kind, metadata, spec, status } = parsed.data;
    return {
      kind: 'valid',
      object: {
        ...(apiVersion === undefined ? {} : { apiVersion }),
        ...(kind === undefined ? {} : { kind }),
        metadata,
        spec,
        ...(status === undefined ? {} : { status }),
      },
    };
  };
}

function findingsOf(error: z.ZodError): ParseFinding[] {
  return error.issues.slice(0, MOST_FINDINGS).map(({ path, message }) => ({
    reason: 'InvalidSpec',
    message: `${path.length === 0 ? 'The object' : path.join('.')}: ${message}.`,
  }));
}
