import { type FaultRule as AnyFaultRule, FaultRules as AnyFaultRules } from '../fault-rules.ts';
import { type AwsCall, type CallFilter, matches } from './call-log.ts';

export type { InjectedFault } from '../fault-rules.ts';

/** What goes wrong with a call. Several may come together: a delay, then an error. */
export interface Fault {
  /** Answered with this, without being done. */
  error?: { code: string; message?: string; status?: number };
  /** Held back so long before anything else. */
  delayMs?: number;
  /** The connection ends: before AWS did anything, or after it did it, in the place of the answer. */
  cut?: 'before' | 'after';
}

type FaultFilter = Omit<CallFilter, 'code'>;
export type FaultRule = AnyFaultRule<AwsCall, FaultFilter, Fault>;

/** What Elastic Load Balancing says to too many calls. */
export const THROTTLED = { code: 'Throttling', message: 'Rate exceeded', status: 400 } as const;
/** What EC2 says to too many calls. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html */
export const REQUEST_LIMIT = {
  code: 'RequestLimitExceeded',
  message: 'Request limit exceeded.',
  status: 503,
} as const;

export class FaultRules extends AnyFaultRules<AwsCall, FaultFilter, Fault> {
  /** `random` in [0, 1), for shares. */
  constructor(random: () => number) {
    super(random, matches);
  }
}
