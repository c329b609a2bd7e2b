import { CallLog as AnyCallLog } from '../call-log.ts';
import type { PlainObject } from './plain.ts';

/** One call as it came to the endpoint. */
export interface AwsCall {
  /** The name that requests are signed for: `elasticloadbalancing`, `ec2`, `sts`. */
  service: string;
  region: string;
  operation: string;
  /** Numbered lists are arrays; all leaves are text. Empty for what isn't of the query protocol. */
  parameters: PlainObject;
  /** Wall clock, ms. */
  at: number;
  /** undefined: not answered yet, or cut. */
  status: number | undefined;
  /** AWS' code of an error. */
  code: string | undefined;
  /** The connection was cut, before AWS did it or after. */
  cut: 'before' | 'after' | undefined;
  tookMs: number | undefined;
}

export interface CallFilter {
  service?: string;
  operation?: string | RegExp;
  code?: string;
}

/** Every call in order, from the start or the last reset. */
export class CallLog extends AnyCallLog<AwsCall, CallFilter> {
  constructor() {
    super(matches);
  }

  /** `{CreateListener: 3, ...}`, most frequent first. */
  byOperation(filter: CallFilter = {}): Record<string, number> {
    const counts = new Map<string, number>();
    for (const { operation } of this.matching(filter))
      counts.set(operation, (counts.get(operation) ?? 0) + 1);
    return Object.fromEntries([...counts].sort(([, one], [, other]) => other - one));
  }
}

export function matches(call: AwsCall, filter: CallFilter): boolean {
  const { service, operation, code } = filter;
  if (service !== undefined && call.service !== service) return false;
  if (code !== undefined && call.code !== code) return false;
  if (operation === undefined) return true;
  return typeof operation === 'string' ? call.operation === operation : operation.test(call.operation);
}
