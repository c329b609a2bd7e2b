import { sleep } from '../../../kube/backoff.ts';
import { ClassedError, isClass } from '../../../kube/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { BASE, type Caller } from './as3.ts';
import { BUSY, errorOfResult } from './classify-bigip-error.ts';
import type { UnitAnswer, UnitRequest } from './unit.ts';

/** A small declaration is carried out within a second, a large one within minutes. */
const FIRST_POLL_MS = 25;
const POLL_GROWTH = 1.5;
/** At a task, of a unit that doesn't answer. */
const MOST_LOOKS = 4;

export interface DeclareTimes {
  /** How long one declaration may take. */
  declarationMs: number;
  /** Between two looks at a task, at most: the first come sooner. */
  pollMs: number;
  /** Before a device that is busy is asked again. */
  busyMs: number;
}

/**
 * Has the device carry out a declaration, or a removal, to its end: a device that is busy is waited for, and a task asked
 * for until it's over. Throws ClassedErrors; `Rejected` says that the device has what it had.
 */
export async function declare(
  unit: Caller,
  request: DeclareRequest,
  times: DeclareTimes,
  signal: AbortSignal,
): Promise<void> {
  const endsAt = performance.now() + times.declarationMs;
  for (;;) {
    try {
      return await declareOnce(unit, request, { ...times, endsAt }, signal);
    } catch (error) {
      // Said at once, or as the end of a task that had to wait.
      if (!isBusy(error) || performance.now() + times.busyMs > endsAt) throw error;
      await sleep(times.busyMs, signal);
      signal.throwIfAborted();
    }
  }
}

type DeclareRequest = Pick<UnitRequest, 'method' | 'path' | 'body' | 'operation'>;
type Times = DeclareTimes & { endsAt: number };

/** AS3 has `async` for posts; all others it makes asynchronous itself when they take long. */
async function declareOnce(
  unit: Caller,
  request: DeclareRequest,
  times: Times,
  signal: AbortSignal,
): Promise<void> {
  const path = request.method === 'POST' ? `${request.path}?async=true` : request.path;
  let answer = await unit.call({ ...request, path, signal, timeoutMs: times.declarationMs });
  const what = `${request.method} ${request.path} of ${unit.device}`;
  const id = isJsonObject(answer.body) && typeof answer.body.id === 'string' ? answer.body.id : undefined;
  let waitMs = Math.min(FIRST_POLL_MS, times.pollMs);
  while (isRunning(answer)) {
    if (id === undefined || performance.now() > times.endsAt) throw unfinished(what, times.declarationMs);
    await sleep(waitMs, signal);
    waitMs = Math.min(times.pollMs, waitMs * POLL_GROWTH);
    signal.throwIfAborted();
    answer = await askTask(unit, id, what, times, signal);
  }
  judge(answer, what);
}

/**
 * A look that failed ends nothing, since the task goes on; a unit that fails again and again is given up, for another one may
 * be active by now. A task that the device knows no more was lost with a restart.
 */
async function askTask(
  unit: Caller,
  id: string,
  what: string,
  { pollMs }: Times,
  signal: AbortSignal,
): Promise<UnitAnswer> {
  for (let tries = 1; ; tries++) {
    try {
      const path = `${BASE}/task/${id}`;
      return await unit.call({ method: 'GET', path, operation: 'GET task', signal });
    } catch (error) {
      signal.throwIfAborted();
      if (isClass(error, 'NotFound')) throw lost(what, error);
      if (!isClass(error, 'Transient') || tries === MOST_LOOKS) throw error;
      await sleep(pollMs * 2 ** tries, signal);
    }
  }
}

/** Results without a code, or with the message of one that waits: `in progress`, `pending`. */
function isRunning({ body, code }: UnitAnswer): boolean {
  const results = resultsOf(body);
  if (results.length === 0) return code === 202;
  return results.some((result) => {
    const message = typeof result.message === 'string' ? result.message : '';
    return /^(in progress|pending|Declaration successfully submitted)/i.test(message) || result.code === 202;
  });
}

/** The answer is 207 where tenants came to different ends; each of the results has a code of its own. */
function judge({ body }: UnitAnswer, what: string): void {
  for (const result of resultsOf(body)) {
    const { code, message } = result;
    if (typeof message === 'string' && /^task cancelled/i.test(message)) throw lost(what);
    if (typeof code === 'number' && code >= 400) throw errorOfResult(code, result, what);
  }
}

function resultsOf(body: Json | undefined): JsonObject[] {
  if (!isJsonObject(body)) return [];
  if (Array.isArray(body.results)) return body.results.filter(isJsonObject);
  return typeof body.code === 'number' ? [body] : [];
}

function isBusy(error: unknown): boolean {
  return isClass(error) && error.reason === BUSY;
}

/** AS3 was restarted: what it was about may have been carried out, or not. */
function lost(what: string, cause?: unknown): ClassedError {
  return new ClassedError(`${what}: AS3 was restarted before it told how it ended`, {
    class: 'Transient',
    reason: 'DeclarationLost',
    cause,
  });
}

function unfinished(what: string, ms: number): ClassedError {
  const message = `${what}: not carried out within ${ms / 1000} seconds`;
  return new ClassedError(message, { class: 'Transient', reason: 'DeclarationTimeout' });
}
