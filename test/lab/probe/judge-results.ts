import type { ProbeResult } from './probe-protocol.ts';

/** Requests that failed among those begun at `since` (`Date.now()`) or later. */
export function failuresSince(results: readonly ProbeResult[], since: number): ProbeResult[] {
  return results.filter((result) => !result.ok && result.at >= since);
}

/** How many answers came from each pod, in order of name. */
export function countByPod(results: readonly ProbeResult[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { answer } of results) if (answer) counts.set(answer.pod, (counts.get(answer.pod) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => a.localeCompare(b)));
}

/** When the last request that `pod` answered was begun; undefined when it answered none. */
export function lastAnswerOf(results: readonly ProbeResult[], pod: string): number | undefined {
  return results.findLast(({ answer }) => answer?.pod === pod)?.at;
}

/**
 * From `since` until requests succeed for good: to the beginning of the first request after the last failed one. 0 when
 * none failed; undefined when the last one did.
 */
export function recoveryMs(results: readonly ProbeResult[], since: number): number | undefined {
  const later = results.filter((result) => result.at >= since);
  const lastFailure = later.findLastIndex((result) => !result.ok);
  if (lastFailure === -1) return 0;
  const recovered = later[lastFailure + 1];
  return recovered && recovered.at - since;
}

/** What failed, how often, and when after the first of `results`: `timeout 12 (0.3 s to 1.2 s), ECONNREFUSED 1 (2.0 s)`. */
export function explainFailures(results: readonly ProbeResult[]): string {
  const began = results[0]?.at ?? 0;
  const seconds = (at: number) => `${((at - began) / 1000).toFixed(1)} s`;
  const times = new Map<string, { count: number; first: number; last: number }>();
  for (const { ok, at, error = 'unknown' } of results) {
    if (ok) continue;
    const known = times.get(error);
    times.set(error, { count: (known?.count ?? 0) + 1, first: known?.first ?? at, last: at });
  }
  const parts = [...times].map(([error, { count, first, last }]) => {
    const when = first === last ? seconds(first) : `${seconds(first)} to ${seconds(last)}`;
    return `${error} ${count} (${when})`;
  });
  return parts.join(', ') || 'none';
}
