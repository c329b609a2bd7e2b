/** All in milliseconds. What they cost, and what they must satisfy, is in docs/adr/0003-lease-fenced-l2-ownership.md. */
export interface AnnounceTimes {
  /** Others may take a node for dead when they have seen nothing new of it for so long. @default 3000 */
  leaseMs: number;
  /** How long one confirmation lets an owner answer, counted from before it was asked for. @default 2400 */
  fenceMs: number;
  /** Between two renewals of a node that may own addresses. @default 1000 */
  renewMs: number;
  /** Between two renewals of a node that has nothing to announce. @default 10000 */
  restMs: number;
  /** When the announcements of a new owner go out, after it took over. @default 0, 100, 500, 1000, 2000, 4000 */
  advertiseAtMs: readonly number[];
  /** A node dead for so long counts no longer as a member. @default 600000 */
  forgetMs: number;
}

export const DEFAULT_TIMES: AnnounceTimes = {
  leaseMs: 3000,
  fenceMs: 2400,
  renewMs: 1000,
  restMs: 10_000,
  advertiseAtMs: [0, 100, 500, 1000, 2000, 4000],
  forgetMs: 600_000,
};

/** @throws Error when no safe or useful ownership is possible with these times. */
export function checkTimes(times: AnnounceTimes): AnnounceTimes {
  const { leaseMs, fenceMs, renewMs } = times;
  // A tenth of the lease at least is left for clocks that don't run at the same speed and for a slow `ip`.
  if (!(fenceMs <= leaseMs * 0.9))
    throw new Error(`fenceMs ${fenceMs} must be at most 0.9 of leaseMs ${leaseMs}`);
  if (!(renewMs * 2 <= fenceMs))
    throw new Error(`renewMs ${renewMs} must be at most half of fenceMs ${fenceMs}`);
  return times;
}
