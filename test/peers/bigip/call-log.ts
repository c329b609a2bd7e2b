import { CallLog as AnyCallLog } from '../call-log.ts';

/** One call as it came to a unit. */
export interface BigIpCall {
  /** The unit's host name. */
  unit: string;
  method: string;
  /** Without the query. */
  path: string;
  query: string;
  /** Of the request's body. */
  bytes: number;
  /** The request's body, parsed; undefined for none, for what is no JSON, and for logins. */
  body: unknown;
  /** Wall clock, ms. */
  at: number;
  /** undefined: not answered yet, or cut. */
  status: number | undefined;
  /** Of the answer's body. */
  answerBytes: number | undefined;
  /** The connection was cut, before the device did it or after. */
  cut: 'before' | 'after' | undefined;
  tookMs: number | undefined;
}

export interface CallFilter {
  /** Host name. */
  unit?: string;
  method?: string;
  /** A text is the beginning of the path. */
  path?: string | RegExp;
  status?: number;
}

/** Declarations of AS3, of either kind. */
export const DECLARE = '/mgmt/shared/appsvcs/declare';

/** Every call in order, from the start or the last reset. */
export class CallLog extends AnyCallLog<BigIpCall, CallFilter> {
  constructor() {
    super(matches);
  }

  /** Whatever changes applications: declarations posted, patched and deleted. */
  declarations(): BigIpCall[] {
    return this.all.filter(({ method, path }) => method !== 'GET' && path.startsWith(DECLARE));
  }

  /** Writes of any sort, but for logins and tokens. */
  writes(): BigIpCall[] {
    return this.all.filter(
      ({ method, path }) => method !== 'GET' && !/^\/mgmt\/shared\/(authn|authz)\//.test(path),
    );
  }
}

export function matches(call: BigIpCall, { unit, method, path, status }: CallFilter): boolean {
  if (unit !== undefined && call.unit !== unit) return false;
  if (method !== undefined && call.method !== method) return false;
  if (status !== undefined && call.status !== status) return false;
  if (path === undefined) return true;
  return typeof path === 'string' ? call.path.startsWith(path) : path.test(call.path);
}
