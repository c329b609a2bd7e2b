import { expect } from 'chai';
import { countProbe, type ProbeCount } from '../../lab/kubelet/probe-thresholds.ts';

function readinessAfter(
  results: boolean[],
  probe: { successThreshold?: number; failureThreshold?: number },
): boolean[] {
  let count: ProbeCount = { ready: false, against: 0 };
  return results.map((well) => {
    count = countProbe(count, well, probe);
    return count.ready;
  });
}

describe('Readiness by probe results', () => {
  it('follows each result when both thresholds are 1', () => {
    expect(readinessAfter([false, true, false, true], { failureThreshold: 1 })).to.deep.equal([
      false,
      true,
      false,
      true,
    ]);
  });

  it('is lost only after as many failures in a row as failureThreshold says, 3 by default', () => {
    const results = [true, false, false, true, false, false, false];
    expect(readinessAfter(results, {})).to.deep.equal([true, true, true, true, true, true, false]);
  });

  it('comes only after as many successes in a row as successThreshold says', () => {
    expect(readinessAfter([true, false, true, true], { successThreshold: 2 })).to.deep.equal([
      false,
      false,
      false,
      true,
    ]);
  });
});
