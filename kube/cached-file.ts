import { readFile } from 'node:fs/promises';

/** client-go looks at rotated token files each minute, too; the kubelet renews them long before they expire. */
export const REREAD_AFTER_MS = 60_000;

/**
 * A file that others rotate, read at most each 60 s, or at once with `fresh`. While it can't be read (it is being
 * replaced), the last text stays good; without a last text the error is thrown.
 */
export function cachedFile(path: string, now: () => number = () => performance.now()) {
  let text: string | undefined;
  let readAt = 0;
  return async (fresh = false): Promise<string> => {
    if (text !== undefined && !fresh && now() - readAt < REREAD_AFTER_MS) return text;
    try {
      text = (await readFile(path, 'utf8')).trim();
      readAt = now();
    } catch (error) {
      if (text === undefined) throw new Error(`cannot read ${path}`, { cause: error });
    }
    return text;
  };
}
