import { setImmediate } from 'node:timers/promises';

/** Health must answer within 100 ms, whatever is computed meanwhile. */
const LONGEST_SLICE_MS = 10;

/** Calls `work` for each item, and lets everything else have its turn whenever it took long. */
export async function inSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let startedAt = performance.now();
  for (const item of items) {
    work(item);
    if (performance.now() - startedAt < LONGEST_SLICE_MS) continue;
    await setImmediate();
    startedAt = performance.now();
  }
}
