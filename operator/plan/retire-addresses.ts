import type { AddressClaim } from '../../crds/load-balancer.ts';

export interface RetireInput {
  /** What is to be served from now on. */
  claimed: readonly AddressClaim[];
  /** What the LoadBalancer says at present. */
  current: readonly AddressClaim[];
  /** Addresses that are shown to the outside at present. */
  shown: readonly string[];
  /** The new addresses were shown for long enough that every node has them. */
  settled: boolean;
  /** Addresses that must be let go at once: another LoadBalancer has the better right to them. */
  lost: ReadonlySet<string>;
}

export interface RetirePlan {
  /** For LoadBalancer.spec: the new ones first, then those that leave. */
  addresses: AddressClaim[];
  /** Those that leave, and are still served. */
  leaving: AddressClaim[];
  /** What was left to wait for: the new ones are not shown yet, or only just. */
  waiting: 'shown' | 'settled' | undefined;
}

/** Make before break: an address that is given up stays claimed and served until the new ones are shown and settled. */
export function retireAddresses({ claimed, current, shown, settled, lost }: RetireInput): RetirePlan {
  const kept = new Set(claimed.map(({ address }) => address));
  const leaving = current.filter(({ address }) => !kept.has(address) && !lost.has(address));
  const allShown = claimed.every(({ address }) => shown.includes(address));
  const stillShown = leaving.some(({ address }) => shown.includes(address));
  const waiting =
    leaving.length === 0 ? undefined : !allShown || stillShown ? 'shown' : settled ? undefined : 'settled';
  if (waiting === undefined) return { addresses: [...claimed], leaving: [], waiting };
  return { addresses: [...claimed, ...leaving], leaving, waiting };
}
