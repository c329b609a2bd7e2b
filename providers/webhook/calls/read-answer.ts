import type { z } from 'zod';
import { isRecord, parseRetryAfter } from '../../../kube/classify-error.ts';
import { ClassedError, type ErrorClass } from '../../../kube/errors.ts';
import { CONTRACT_VERSION, errorSchema, UNSUPPORTED_VERSION } from '../contract.ts';

/** What came back, as it is. */
export interface RawAnswer {
  /** HTTP status. */
  code: number;
  text: string;
  retryAfter?: string | undefined;
}

/** What only a person can mend at the server is left alone for so long: nobody tells when it is mended. */
const FOR_PEOPLE_SECONDS = 60;
const SHOWN_ISSUES = 3;
const SHOWN_TEXT = 200;

/** The answer by its schema. Throws a ClassedError for an error of the server, and for what isn't of the contract. */
export function readAnswer<Answer>(schema: z.ZodType<Answer>, raw: RawAnswer, url: string): Answer {
  if (raw.code !== 200) throw errorOf(raw, `POST ${url}`);
  const body = parseJson(raw.text);
  if (body === undefined) {
    throw badAnswer(url, `it isn't JSON: ${shorten(raw.text)}`, raw);
  }
  if (isRecord(body) && typeof body.apiVersion === 'string' && body.apiVersion !== CONTRACT_VERSION) {
    throw otherVersion(url, body.apiVersion, raw);
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw badAnswer(url, describeIssues(parsed.error), raw);
  return parsed.data;
}

/** `state.ingress[0].ip: is no IP address; changes: Invalid input: expected array, received string` */
export function describeIssues({ issues }: z.ZodError): string {
  const shown = issues.slice(0, SHOWN_ISSUES).map(({ path, message }) => {
    const field = path.reduce<string>(
      (before, part) =>
        typeof part === 'number'
          ? `${before}[${part}]`
          : `${before}${before === '' ? '' : '.'}${String(part)}`,
      '',
    );
    return field === '' ? message : `${field}: ${message}`;
  });
  const more = issues.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function badAnswer(url: string, what: string, { code }: RawAnswer): ClassedError {
  return new ClassedError(`The answer of ${url} isn't one of the contract ${CONTRACT_VERSION}: ${what}`, {
    class: 'Transient',
    code,
    reason: 'BadAnswer',
    retryAfterSeconds: FOR_PEOPLE_SECONDS,
  });
}

function otherVersion(url: string, version: string, { code }: RawAnswer): ClassedError {
  return new ClassedError(
    `The server at ${url} speaks ${JSON.stringify(version.slice(0, 100))}, and Fairlead ${CONTRACT_VERSION}: upgrade the older one.`,
    {
      class: 'Transient',
      code,
      reason: UNSUPPORTED_VERSION,
      retryAfterSeconds: FOR_PEOPLE_SECONDS,
    },
  );
}

function errorOf(raw: RawAnswer, what: string): ClassedError {
  const { code } = raw;
  if (code >= 300 && code < 400) {
    return new ClassedError(
      `${what}: HTTP ${code} sends us elsewhere, which isn't followed: set the address that answers as webhook.url.`,
      { class: 'Transient', code, reason: 'Redirected', retryAfterSeconds: FOR_PEOPLE_SECONDS },
    );
  }
  const parsed = errorSchema.safeParse(parseJson(raw.text));
  if (!parsed.success) return errorOfStranger(raw, what);
  const { apiVersion, reason, message, retryAfterSeconds } = parsed.data;
  if (reason === UNSUPPORTED_VERSION) {
    return new ClassedError(
      `${what}: the server speaks ${apiVersion}, and Fairlead ${CONTRACT_VERSION}: upgrade the older one. It says: ${message}`,
      { class: 'Transient', code, reason, retryAfterSeconds: FOR_PEOPLE_SECONDS },
    );
  }
  const errorClass = classOf(code);
  return new ClassedError(`${reason}: ${message}`, {
    class: errorClass,
    code,
    reason,
    retryAfterSeconds: retryAfterSeconds ?? parseRetryAfter(raw.retryAfter) ?? patienceFor(code),
  });
}

/** Not by the contract: of a proxy in between, or of some other server. */
function errorOfStranger(raw: RawAnswer, what: string): ClassedError {
  const { code, text } = raw;
  const hint =
    code === 404 || code === 405
      ? ': is webhook.url the address of a server for Fairlead?'
      : text.trim() === ''
        ? ', and no reason'
        : `: ${shorten(text)}`;
  return new ClassedError(`${what}: HTTP ${code}${hint}`, {
    // Whoever answers so didn't look at what was asked for.
    class: code === 429 ? 'Throttled' : 'Transient',
    code,
    reason: code >= 500 ? 'ServerError' : code === 429 ? 'TooManyRequests' : 'UnexpectedAnswer',
    retryAfterSeconds: parseRetryAfter(raw.retryAfter) ?? (code >= 500 ? undefined : FOR_PEOPLE_SECONDS),
  });
}

/** What the caller of the provider can do about an error of the contract, by its HTTP status. */
function classOf(code: number): ErrorClass {
  switch (code) {
    case 404:
      return 'NotFound';
    case 409:
      return 'Conflict';
    case 429:
      return 'Throttled';
    case 401:
    case 403:
    case 408:
      return 'Transient';
    default:
      return code >= 400 && code < 500 ? 'Rejected' : 'Transient';
  }
}

/** Credentials are mended by people. */
function patienceFor(code: number): number | undefined {
  return code === 401 || code === 403 ? FOR_PEOPLE_SECONDS : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shorten(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > SHOWN_TEXT ? `${line.slice(0, SHOWN_TEXT)}…` : line;
}
