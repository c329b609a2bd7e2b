import { type FaultRule as AnyFaultRule, FaultRules as AnyFaultRules } from '../fault-rules.ts';
import { type BigIpCall, type CallFilter, matches } from './call-log.ts';

export type { InjectedFault } from '../fault-rules.ts';

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

type FaultFilter = Omit<CallFilter, 'status'>;
export type FaultRule = AnyFaultRule<BigIpCall, FaultFilter, Fault>;

export class FaultRules extends AnyFaultRules<BigIpCall, FaultFilter, Fault> {
  /** `random` in [0, 1), for shares. */
  constructor(random: () => number) {
    super(random, matches);
  }
}
