import { classOfCode, errorOfFailure } from '../../../kube/classify-error.ts';
import { ClassedError } from '../../../kube/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';

const LONGEST_TEXT = 500;
/** AS3 says "please try again in 2 minutes"; a declaration of ours takes seconds. */
const BUSY_SECONDS = 5;
const STARTING_SECONDS = 10;
const CREDENTIALS_SECONDS = 60;

/** The reasons of errors that something depends on. */
export const BUSY = 'DeviceBusy';
export const NO_AS3 = 'As3NotInstalled';

/** What an answer of iControl REST or AS3 that isn't a success comes to. `what` says what was asked of whom. */
export function errorOfAnswer(code: number, text: string, what: string): ClassedError {
  const body = parse(text);
  const told = body === undefined ? text.trim().slice(0, LONGEST_TEXT) : tellBody(body);
  if (code === 401) {
    return failed(
      `${what}: the user or its password isn't taken${told === '' ? '' : ` (${told})`}: see to the Secret`,
      {
        class: 'Transient',
        code,
        reason: 'CredentialsRefused',
        retryAfterSeconds: CREDENTIALS_SECONDS,
      },
    );
  }
  if (code === 400 && /maximum active login tokens/.test(told)) {
    return failed(`${what}: ${told}: a user of Fairlead's own has 100 of them for itself`, {
      class: 'Throttled',
      code,
      reason: 'TooManyTokens',
      retryAfterSeconds: CREDENTIALS_SECONDS,
    });
  }
  if (code === 403) {
    return failed(`${what}: the user may not do this: AS3 needs the role Administrator (${told})`, {
      class: 'Transient',
      code,
      reason: 'Forbidden',
      retryAfterSeconds: CREDENTIALS_SECONDS,
    });
  }
  if (isBusy(code, told)) {
    return failed(`${what}: the device works on another declaration`, {
      class: 'Transient',
      code,
      reason: BUSY,
      retryAfterSeconds: BUSY_SECONDS,
    });
  }
  if (code === 404 && (/\/appsvcs\/info\b/.test(what) || isUnknownPath(told))) {
    return failed(`${what}: there is no AS3: install F5's package f5-appsvcs on the device`, {
      class: 'Transient',
      code,
      reason: NO_AS3,
      retryAfterSeconds: STARTING_SECONDS,
    });
  }
  if (code === 422 || code === 400) return refused(what, code, told);
  return failed(`${what}: HTTP ${code}${told === '' ? '' : `: ${told}`}`, {
    class: classOfCode(code),
    code,
    reason: code >= 500 ? 'DeviceUnavailable' : code === 404 ? 'NotFound' : 'UnexpectedAnswer',
    ...(code >= 500 ? { retryAfterSeconds: STARTING_SECONDS } : {}),
  });
}

/** What a result of a declaration comes to: 422 of one tenant within 207, `declaration failed` of the device, ... */
export function errorOfResult(code: number, result: JsonObject, what: string): ClassedError {
  return errorOfAnswer(code, JSON.stringify(result), what);
}

/** A call that got no answer. */
export function errorOfCall(failure: unknown, what: string): ClassedError {
  const error = errorOfFailure(failure, what);
  if (error.reason !== 'TlsFailed' || error === failure) return error;
  return failed(`${error.message}: see to bigip.tls of the provider`, {
    class: 'Transient',
    reason: 'CertificateNotTrusted',
    cause: failure,
  });
}

function refused(what: string, code: number, told: string): ClassedError {
  return failed(`${what}: refused: ${told}`, { class: 'Rejected', code, reason: 'DeclarationRefused' });
}

/** AS3's `Error: Configuration operation in progress on device, please try again in 2 minutes.` */
function isBusy(code: number, told: string): boolean {
  return code === 503 && /in progress|try again|busy/i.test(told);
}

/** restjavad's `Public URI path not registered`, as long as AS3 isn't there or isn't there yet. */
function isUnknownPath(told: string): boolean {
  return /URI path not registered/i.test(told);
}

/** Errors of iControl REST have `message`, those of AS3 also `errors`, `response`, or `results` with these in them. */
function tellBody(body: JsonObject): string {
  const parts = [body.message, ...(Array.isArray(body.errors) ? body.errors : []), body.response]
    .flatMap((each) => (typeof each === 'string' ? [each] : isJsonObject(each) ? [JSON.stringify(each)] : []))
    .filter((each, index, all) => all.indexOf(each) === index);
  const results = Array.isArray(body.results) ? body.results.filter(isJsonObject).map(tellBody) : [];
  return [...parts, ...results].join('; ').slice(0, LONGEST_TEXT);
}

function parse(text: string): JsonObject | undefined {
  try {
    const body: Json = JSON.parse(text);
    return isJsonObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function failed(message: string, details: ConstructorParameters<typeof ClassedError>[1]): ClassedError {
  return new ClassedError(message, details);
}
