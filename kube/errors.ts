/**
 * What a caller can do about an error, decided once at the edge:
 * - `NotFound`: the object isn't there (404).
 * - `Conflict`: someone else was first (409; reason `Conflict` or `AlreadyExists`): read again, decide again.
 * - `Expired`: a resourceVersion or a continue token is too old (410): list again.
 * - `Throttled`: the server asks for patience (429), see `retryAfterSeconds`.
 * - `Transient`: 5xx, time-outs, lost connections, and 401 after the credentials were read anew: try again later.
 * - `Rejected`: the request itself is wrong or forbidden (400, 403, 422, ...): wait for a change.
 */
export type ErrorClass = 'NotFound' | 'Conflict' | 'Expired' | 'Throttled' | 'Transient' | 'Rejected';

export interface ClassedErrorDetails {
  class: ErrorClass;
  /** HTTP status, when there was an answer. */
  code?: number | undefined;
  /** One CamelCase word: `metav1.Status.reason` of the server, or `Timeout`, `ConnectionLost`, `Aborted`, ... */
  reason: string;
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
}

export class ClassedError extends Error {
  readonly class: ErrorClass;
  readonly code?: number;
  readonly reason: string;
  readonly retryAfterSeconds?: number;

  constructor(message: string, details: ClassedErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ClassedError';
    this.class = details.class;
    this.reason = details.reason;
    if (details.code !== undefined) this.code = details.code;
    if (details.retryAfterSeconds !== undefined) this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** The same error, to be tried again after that time. */
export function withRetryAfter(error: ClassedError, retryAfterSeconds: number): ClassedError {
  const { class: errorClass, code, message, reason } = error;
  return new ClassedError(message, { class: errorClass, code, reason, retryAfterSeconds, cause: error });
}

/** Whether `error` carries one of these classes; without classes, whether it carries any. */
export function isClass(error: unknown, ...classes: ErrorClass[]): error is ClassedError {
  return error instanceof ClassedError && (classes.length === 0 || classes.includes(error.class));
}
