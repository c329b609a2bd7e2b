/**
 * Asks a URL again and again, each time over a new connection as the kubelet does, until its standard input ends; then prints
 * the milliseconds that the slowest answer took, from the first one on, or NaN. A process of its own: the benchmark's is busy,
 * too.
 *
 *   node ask-health.ts http://10.0.0.1:10256/livez
 */
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 10;

const [url = ''] = process.argv.slice(2);
let slowest = Number.NaN;
let stopped = false;
process.stdin.resume().once('end', () => {
  stopped = true;
});
while (!stopped) {
  const ms = await ask().catch(() => Number.NaN);
  if (!Number.isNaN(ms)) slowest = Math.max(slowest || 0, ms);
  await sleep(EVERY_MS);
}
process.stdout.write(`${slowest}\n`);

/** Milliseconds until the whole answer was there. */
function ask(): Promise<number> {
  const askedAt = performance.now();
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      response.resume().once('end', () => resolve(performance.now() - askedAt));
      response.once('error', reject);
    });
    request.once('error', reject);
  });
}
