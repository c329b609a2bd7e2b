import { ClassedError, isClass } from '../../../kube/errors.ts';
import { isJsonObject, type Json } from '../json.ts';
import { BASE, type Caller } from './as3.ts';
import { BUSY } from './classify-bigip-error.ts';

const AGAIN_SECONDS = 2;

/**
 * Throws while AS3 carries out a declaration: whoever sent it may have ended, and what it makes isn't there yet. AS3 has a task
 * for each, with the message `in progress` until it is over.
 */
export async function failWhileRunning(unit: Caller, signal: AbortSignal): Promise<void> {
  if (!(await readTasks(unit, signal)).some(isRunning)) return;
  throw new ClassedError(`${unit.device} works on a declaration: what it makes isn't known yet`, {
    class: 'Transient',
    reason: BUSY,
    retryAfterSeconds: AGAIN_SECONDS,
  });
}

async function readTasks(unit: Caller, signal: AbortSignal): Promise<Json[]> {
  try {
    const path = `${BASE}/task`;
    const { body } = await unit.call({ method: 'GET', path, operation: 'GET tasks', signal });
    return isJsonObject(body) && Array.isArray(body.items) ? body.items : [];
  } catch (error) {
    if (isClass(error, 'NotFound')) return [];
    throw error;
  }
}

function isRunning(task: Json): boolean {
  const results = isJsonObject(task) && Array.isArray(task.results) ? task.results : [];
  return results.some((result) => isJsonObject(result) && result.message === 'in progress');
}
