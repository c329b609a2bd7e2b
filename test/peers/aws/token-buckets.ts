import { AwsError } from './aws-error.ts';
import { REQUEST_LIMIT, THROTTLED } from './fault-rules.ts';

export interface BucketSize {
  capacity: number;
  /** Tokens a second. */
  refill: number;
}

/**
 * One bucket for all reads, one for targets, one for all other writes, an account and region. The size of the first is AWS'
 * documented default, the others those that AWS' own controller keeps to.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html
 */
export const ELB_BUCKETS = {
  describe: { capacity: 40, refill: 10 },
  targets: { capacity: 20, refill: 4 },
  mutate: { capacity: 20, refill: 3 },
} as const satisfies Record<string, BucketSize>;

/**
 * A bucket for each operation.
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
export const EC2_BUCKETS = {
  describe: { capacity: 100, refill: 20 },
  mutate: { capacity: 50, refill: 5 },
} as const satisfies Record<string, BucketSize>;

/** The bucket that a call takes its token from; undefined: of another service. */
export function bucketOf(service: string, operation: string): { name: string; size: BucketSize } | undefined {
  const reads = operation.startsWith('Describe');
  if (service === 'ec2') {
    return { name: `ec2 ${operation}`, size: reads ? EC2_BUCKETS.describe : EC2_BUCKETS.mutate };
  }
  if (service !== 'elasticloadbalancing') return undefined;
  const targets = operation === 'RegisterTargets' || operation === 'DeregisterTargets';
  const kind = reads ? 'describe' : targets ? 'targets' : 'mutate';
  return { name: `elb ${kind}`, size: ELB_BUCKETS[kind] };
}

/** Token buckets like AWS' own, off at first. */
export class TokenBuckets {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();
  #factor: number | undefined;

  /** Full buckets; with a factor each is so much larger and filled so much faster. */
  enable(factor = 1): void {
    this.#factor = factor;
    this.#buckets.clear();
  }

  disable(): void {
    this.#factor = undefined;
  }

  /** Takes a token; throws AWS' error when there is none. `now` in ms. */
  take(call: { service: string; operation: string; region: string }, now: number): void {
    const found = bucketOf(call.service, call.operation);
    if (this.#factor === undefined || found === undefined) return;
    const capacity = found.size.capacity * this.#factor;
    const key = `${call.region} ${found.name}`;
    const bucket = this.#buckets.get(key) ?? { tokens: capacity, at: now };
    const refilled = ((now - bucket.at) / 1000) * found.size.refill * this.#factor;
    const tokens = Math.min(capacity, bucket.tokens + refilled);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    if (tokens >= 1) return;
    const { code, message, status } = call.service === 'ec2' ? REQUEST_LIMIT : THROTTLED;
    throw new AwsError(code, message, status);
  }
}
