import type { Dispatcher } from 'undici';
import { ClassedError } from './errors.ts';

/** `?a=1&b=2`, or nothing; undefined values are left out. */
export function queryOf(query: Record<string, string | number | boolean | undefined> | undefined): string {
  if (query === undefined) return '';
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** The whole body; joined before it is decoded, so that no character is torn. */
export async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const [only] = chunks;
  return only !== undefined && chunks.length === 1
    ? only.toString('utf8')
    : Buffer.concat(chunks).toString('utf8');
}

/** The answer as JSON; `undefined` for an empty one. Throws a Transient ClassedError for anything else. */
export function parseBody<T>(text: string, what: string): T {
  try {
    // The server keeps to its schema: what it answers is the shape that the caller names.
    return (text === '' ? undefined : JSON.parse(text)) as T;
  } catch (error) {
    throw new ClassedError(`${what}: the answer isn't JSON: ${text.slice(0, 200)}`, {
      class: 'Transient',
      reason: 'BadAnswer',
      cause: error,
    });
  }
}

/** The first value of a header. */
export function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
