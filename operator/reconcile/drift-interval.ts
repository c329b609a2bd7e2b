import type { LoadBalancerProvider } from '../../crds/load-balancer-provider.ts';

/** As much of a LoadBalancerProvider as says how often. */
type Asked = { spec: Pick<LoadBalancerProvider['spec'], 'drift'> } | undefined;

/** What a LoadBalancerProvider says when it says nothing (crds/load-balancer-provider.ts). */
const DEFAULT_INTERVAL_SECONDS = 300;
/** What was refused together isn't tried again together. */
const SPREAD = 0.25;

/** How often a provider is asked what it has; `intervalMs`: of tests, in the place of what it says. */
export function driftIntervalMs(provider: Asked, intervalMs?: number): number {
  return intervalMs ?? (provider?.spec.drift?.intervalSeconds ?? DEFAULT_INTERVAL_SECONDS) * 1_000;
}

/** After which time it is asked again to take what it refused: an interval, and up to a quarter more by `random` (0 to 1). */
export function refusedAgainMs(
  provider: Asked,
  intervalMs?: number,
  random: () => number = Math.random,
): number {
  return Math.round(driftIntervalMs(provider, intervalMs) * (1 + SPREAD * random()));
}
