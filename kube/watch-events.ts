import { errorOfStatus, isRecord } from './classify-error.ts';
import { ClassedError } from './errors.ts';
import type { KubeObject } from './objects.ts';

/** What one line of a watch says. */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T; resourceVersion: string }
  | { type: 'BOOKMARK'; resourceVersion: string }
  | { type: 'ERROR'; error: ClassedError };

/**
 * Reads one line of a watch. Throws a Transient ClassedError (reason `BadWatchLine`) for a line that isn't an event: after
 * one of those nobody knows what was missed.
 */
export function parseWatchLine<T extends KubeObject>(line: string, what: string): WatchEvent<T> {
  const event = parseJson(line, what);
  if (!isRecord(event) || !isRecord(event.object)) throw badLine(line, what);
  if (event.type === 'ERROR') return { type: 'ERROR', error: errorOfStatus(event.object, what) };
  const metadata = event.object.metadata;
  if (!isRecord(metadata) || typeof metadata.resourceVersion !== 'string') throw badLine(line, what);
  const { resourceVersion } = metadata;
  switch (event.type) {
    case 'BOOKMARK':
      return { type: 'BOOKMARK', resourceVersion };
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (typeof metadata.name !== 'string') throw badLine(line, what);
      // The server keeps to the schema of the kind that was asked for; the parts that we rely on are checked above.
      return { type: event.type, object: event.object as unknown as T, resourceVersion };
    default:
      throw badLine(line, what);
  }
}

function parseJson(line: string, what: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw badLine(line, what, error);
  }
}

function badLine(line: string, what: string, cause?: unknown): ClassedError {
  return new ClassedError(`${what}: a line that isn't a watch event: ${line.slice(0, 200)}`, {
    class: 'Transient',
    reason: 'BadWatchLine',
    cause,
  });
}
