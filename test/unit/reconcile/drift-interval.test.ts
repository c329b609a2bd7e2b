import { expect } from 'chai';
import { driftIntervalMs, refusedAgainMs } from '../../../operator/reconcile/drift-interval.ts';

describe('reconcile: how often a provider is asked', () => {
  const provider = { spec: { drift: { policy: 'Repair' as const, intervalSeconds: 60 } } };

  it('is as it says, and each five minutes where it says nothing', () => {
    expect(driftIntervalMs(provider)).to.equal(60_000);
    expect(driftIntervalMs(undefined)).to.equal(300_000);
    expect(driftIntervalMs(provider, 1_000)).to.equal(1_000);
  });

  it('is what it refused, too, each a little later than the other', () => {
    expect(refusedAgainMs(provider, undefined, () => 0)).to.equal(60_000);
    expect(refusedAgainMs(provider, undefined, () => 0.5)).to.equal(67_500);
    expect(refusedAgainMs(provider, undefined, () => 1)).to.equal(75_000);
    expect(refusedAgainMs(undefined, 1_000, () => 0)).to.equal(1_000);
  });
});
