import { type BigIpCall, type CallFilter, matches } from './call-log.ts';

/** What goes wrong with a call. Several may come together: a delay, then an error. */
export interface Fault {
  /** Answered with this, without being done. */
  answer?: { status: number; body?: unknown };
  /** Held back so long before anything else. */
  delayMs?: number;
  /** The connection ends: before the device did anything, or after it did it, in the place of the answer. */
  cut?: 'before' | 'after';
  /** Never answered, until `heal`: before the device did anything, or after. */
  silent?: 'before' | 'after';
}

export interface FaultRule extends Omit<CallFilter, 'status'> {
  fault: Fault;
  /** Only the nth of the calls that match, counted from 1. */
  nth?: number;
  /** Only the first so many of the calls that match. */
  times?: number;
  /** Only this share of the calls that match, 0 to 1. */
  share?: number;
  when?: (call: BigIpCall) => boolean;
}

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

  strike(call: BigIpCall): Fault | undefined {
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

function filterOf({ unit, method, path }: FaultRule): CallFilter {
  return {
    ...(unit !== undefined && { unit }),
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path }),
  };
}
