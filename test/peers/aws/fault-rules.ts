import { type AwsCall, type CallFilter, matches } from './call-log.ts';

/** What goes wrong with a call. Several may come together: a delay, then an error. */
export interface Fault {
  /** Answered with this, without being done. */
  error?: { code: string; message?: string; status?: number };
  /** Held back so long before anything else. */
  delayMs?: number;
  /** The connection ends: before AWS did anything, or after it did it, in the place of the answer. */
  cut?: 'before' | 'after';
}

export interface FaultRule extends Omit<CallFilter, 'code'> {
  fault: Fault;
  /** Only the nth of the calls that match, counted from 1. */
  nth?: number;
  /** Only the first so many of the calls that match. */
  times?: number;
  /** Only this share of the calls that match, 0 to 1. */
  share?: number;
  when?: (call: AwsCall) => boolean;
}

/** What Elastic Load Balancing says to too many calls. */
export const THROTTLED = { code: 'Throttling', message: 'Rate exceeded', status: 400 } as const;
/** What EC2 says to too many calls. https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html */
export const REQUEST_LIMIT = {
  code: 'RequestLimitExceeded',
  message: 'Request limit exceeded.',
  status: 503,
} as const;

export interface InjectedFault {
  /** Calls that it struck. */
  readonly hits: number;
  remove(): void;
}

/** Rules in the order in which they were made; the first that strikes a call is the only one. */
export class FaultRules {
  readonly #rules = new Map<FaultRule, { seen: number; hits: number }>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  add(rule: FaultRule): InjectedFault {
    const state = { seen: 0, hits: 0 };
    this.#rules.set(rule, state);
    const rules = this.#rules;
    return {
      get hits() {
        return state.hits;
      },
      remove: () => void rules.delete(rule),
    };
  }

  clear(): void {
    this.#rules.clear();
  }

  strike(call: AwsCall): Fault | undefined {
    for (const [rule, state] of this.#rules) {
      if (!matches(call, filterOf(rule)) || rule.when?.(call) === false) continue;
      state.seen++;
      if (rule.nth !== undefined && state.seen !== rule.nth) continue;
      if (rule.times !== undefined && state.hits >= rule.times) continue;
      if (rule.share !== undefined && this.#random() >= rule.share) continue;
      state.hits++;
      return rule.fault;
    }
    return undefined;
  }
}

function filterOf(rule: FaultRule): CallFilter {
  return {
    ...(rule.service !== undefined && { service: rule.service }),
    ...(rule.operation !== undefined && { operation: rule.operation }),
  };
}
