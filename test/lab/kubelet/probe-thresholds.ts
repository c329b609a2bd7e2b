import type { Probe } from './pod.ts';

export interface ProbeCount {
  ready: boolean;
  /** Results in a row that speak against `ready`. */
  against: number;
}

/** Readiness after one more result: it flips after `successThreshold` good or `failureThreshold` bad ones in a row. */
export function countProbe(count: ProbeCount, well: boolean, probe: Probe): ProbeCount {
  if (well === count.ready) return { ready: count.ready, against: 0 };
  const against = count.against + 1;
  const threshold = well ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return against >= threshold ? { ready: well, against: 0 } : { ready: count.ready, against };
}
