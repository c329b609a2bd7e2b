const REPEAT_MS = 30_000;

/** `3 min 4 s`. */
export function formatElapsed(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Tells on stderr what is being built and how far: a line rewritten each second on a terminal, else a line at the
 * start, every 30 s and at the end.
 */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  const live = process.stderr.isTTY === true;
  const started = performance.now();
  const elapsed = () => formatElapsed(performance.now() - started);
  const line = (text: string) => process.stderr.write(live ? `\r\x1b[K${text}` : `${text}\n`);
  line(`building ${what}`);
  const timer = setInterval(() => line(`building ${what}: ${elapsed()}`), live ? 1_000 : REPEAT_MS);
  try {
    const result = await work();
    line(`built ${what} in ${elapsed()}`);
    return result;
  } finally {
    clearInterval(timer);
    if (live) process.stderr.write('\n');
  }
}
