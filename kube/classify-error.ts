import { describeTlsFailure } from './describe-tls-failure.ts';
import { ClassedError, type ErrorClass } from './errors.ts';

const LONGEST_TEXT = 500;

/** The parts of `metav1.Status` that an error is made of; every one may be missing or of another type. */
interface StatusBody {
  code?: unknown;
  reason?: unknown;
  message?: unknown;
  details?: unknown;
}

/** The class that goes with an HTTP status (see `ErrorClass`). */
export function classOfCode(code: number): ErrorClass {
  switch (code) {
    case 404:
      return 'NotFound';
    case 409:
      return 'Conflict';
    case 410:
      return 'Expired';
    case 429:
      return 'Throttled';
    case 401:
    case 408:
      return 'Transient';
    default:
      return code >= 500 ? 'Transient' : 'Rejected';
  }
}

/** The error for an answer that isn't a success; `text` may be a `metav1.Status`, or anything a proxy in between wrote. */
export function errorOfResponse(
  code: number,
  text: string,
  retryAfter: string | undefined,
  what: string,
): ClassedError {
  const status = parseStatus(text);
  if (status !== undefined) return errorOfStatus(status, what, code, retryAfter);
  const shown = text.trim().slice(0, LONGEST_TEXT);
  return new ClassedError(`${what}: HTTP ${code}${shown === '' ? '' : `: ${shown}`}`, {
    class: classOfCode(code),
    code,
    reason: REASONS[code] ?? (code >= 500 ? 'ServerError' : 'UnexpectedAnswer'),
    retryAfterSeconds: parseRetryAfter(retryAfter),
  });
}

const REASONS: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** The error for a `metav1.Status`: of an answer, or of an ERROR event of a watch (where `code` is in the body). */
export function errorOfStatus(
  status: StatusBody,
  what: string,
  httpCode?: number,
  retryAfter?: string,
): ClassedError {
  const code = typeof status.code === 'number' ? status.code : (httpCode ?? 500);
  const given = typeof status.reason === 'string' && status.reason !== '' ? status.reason : REASONS[code];
  const message = typeof status.message === 'string' ? status.message : `HTTP ${code}`;
  const details = isRecord(status.details) ? status.details : {};
  const seconds = details.retryAfterSeconds;
  const [errorClass, reason] = decideClass(code, given ?? 'Unknown', details);
  return new ClassedError(`${what}: ${message}`, {
    class: errorClass,
    code,
    reason,
    retryAfterSeconds:
      parseRetryAfter(retryAfter) ?? (typeof seconds === 'number' && seconds > 0 ? seconds : undefined),
  });
}

/** The two cases in which the HTTP status does not say what can be done. */
function decideClass(code: number, reason: string, details: Record<string, unknown>): [ErrorClass, string] {
  const causes = Array.isArray(details.causes) ? details.causes.filter(isRecord) : [];
  // A resourceVersion ahead of the server's own (etcd restored from a backup, a stale replica) is a 504. Waiting does not
  // always help, listing anew does.
  if (causes.some((cause) => cause.reason === 'ResourceVersionTooLarge')) return ['Expired', reason];
  // Applying with the uid of an object that was deleted and made anew is "invalid: field is immutable"; where there is no
  // object any more, the same is a 409.
  if (code === 422 && causes.length > 0 && causes.every((cause) => cause.field === 'metadata.uid')) {
    return ['Conflict', 'Conflict'];
  }
  return [classOfCode(code), reason];
}

function parseStatus(text: string): StatusBody | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return isRecord(body) && body.kind === 'Status' ? body : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds from a Retry-After header, which holds seconds or an HTTP date (RFC 9110, 10.2.3). */
export function parseRetryAfter(header: string | undefined, now = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}

const CONNECTION_REASONS: Record<string, string> = {
  UND_ERR_CONNECT_TIMEOUT: 'ConnectTimeout',
  UND_ERR_HEADERS_TIMEOUT: 'Timeout',
  UND_ERR_BODY_TIMEOUT: 'Timeout',
  UND_ERR_SOCKET: 'ConnectionLost',
  UND_ERR_DESTROYED: 'ClientClosed',
  UND_ERR_CLOSED: 'ClientClosed',
  UND_ERR_ABORTED: 'Aborted',
  ECONNREFUSED: 'ConnectionRefused',
  ECONNRESET: 'ConnectionLost',
  EPIPE: 'ConnectionLost',
  ETIMEDOUT: 'ConnectTimeout',
  ENOTFOUND: 'NameNotResolved',
  EAI_AGAIN: 'NameNotResolved',
  EHOSTUNREACH: 'Unreachable',
  ENETUNREACH: 'Unreachable',
};

/** The error for a request that got no answer. A ClassedError passes through as it is. */
export function errorOfFailure(failure: unknown, what: string): ClassedError {
  if (failure instanceof ClassedError) return failure;
  const said = failure instanceof Error ? failure.message : String(failure);
  const code = codeOf(failure);
  const message = describeTlsFailure(code, said) ?? said;
  const known = code === undefined ? undefined : CONNECTION_REASONS[code];
  const reason = known ?? (isAbort(failure) ? 'Aborted' : isTlsCode(code) ? 'TlsFailed' : 'RequestFailed');
  return new ClassedError(`${what}: ${message === '' ? (code ?? reason) : message}`, {
    class: 'Transient',
    reason,
    cause: failure,
  });
}

/** The code of a Node or undici error; connecting to several addresses fails with an AggregateError of such. */
export function codeOf(failure: unknown): string | undefined {
  if (!isRecord(failure)) return undefined;
  if (typeof failure.code === 'string') return failure.code;
  return failure instanceof AggregateError ? codeOf(failure.errors[0]) : undefined;
}

function isTlsCode(code: string | undefined): boolean {
  return code !== undefined && /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO)/.test(code);
}

function isAbort(failure: unknown): boolean {
  return failure instanceof Error && failure.name === 'AbortError';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
