import { expect } from 'chai';
import type { ReconcileResult } from '../../../kube/workqueue.ts';
import { lookAgain, type Unreleased } from '../../../operator/reconcile/release-load-balancer.ts';

const leaving: Unreleased = { finding: { reason: 'Deleting', message: 'it is being deleted' } };
const failure = new Error('refused');
const failing: Unreleased = { ...leaving, failure };
const later = (seconds: number, reason = 'LookAgain'): ReconcileResult => ({
  kind: 'retryAfter',
  seconds,
  reason,
});
const failed: ReconcileResult = { kind: 'failed', error: failure, terminal: false };

describe('a turn that leaves a load balancer at a provider', () => {
  const cases: [string, Unreleased[], ReconcileResult, ReconcileResult][] = [
    ['ends as the rest of it when nothing is left', [], later(300), later(300)],
    ['looks again after 5 s', [leaving], { kind: 'done' }, later(5, 'ProviderDeleting')],
    ['waits for nothing that is due later', [leaving], later(300), later(5)],
    ['comes sooner for what is due sooner', [leaving], later(1), later(1)],
    ['is tried again as one that failed when the provider refused', [failing], { kind: 'done' }, failed],
    ['is tried again as one that failed when the rest of it did', [leaving], failed, failed],
  ];
  for (const [name, unreleased, next, expected] of cases) {
    it(name, () => {
      expect(lookAgain(unreleased, next)).to.deep.equal(expected);
    });
  }
});
