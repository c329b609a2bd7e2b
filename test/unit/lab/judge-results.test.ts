import { expect } from 'chai';
import {
  countByPod,
  explainFailures,
  failuresSince,
  lastAnswerOf,
  recoveryMs,
} from '../../lab/probe/judge-results.ts';
import type { ProbeResult } from '../../lab/probe/probe-protocol.ts';

function answered(at: number, pod: string): ProbeResult {
  const answer = { pod, node: 'node-1', client: '', server: '', protocol: 'HTTP', request: '' } as const;
  return { at, ms: 1, ok: true, answer };
}

function failed(at: number, error: string): ProbeResult {
  return { at, ms: 1, ok: false, error };
}

const results = [
  answered(1_000, 'b'),
  answered(1_100, 'a'),
  failed(1_200, 'timeout'),
  answered(1_300, 'b'),
  failed(1_400, 'timeout'),
  answered(1_500, 'b'),
];

describe('Judging steady requests', () => {
  it('counts answers by pod', () => {
    expect([...countByPod(results)]).to.deep.equal([
      ['a', 1],
      ['b', 3],
    ]);
  });

  it('knows when the last request that a pod answered was begun', () => {
    expect(lastAnswerOf(results, 'a')).to.equal(1_100);
    expect(lastAnswerOf(results, 'c')).to.equal(undefined);
  });

  it('takes for failed what was begun at the moment asked for or later', () => {
    expect(failuresSince(results, 1_200)).to.have.length(2);
    expect(failuresSince(results, 1_201)).to.have.length(1);
  });

  it('takes for recovered only what succeeds for good', () => {
    expect(recoveryMs(results, 1_050)).to.equal(450);
    expect(recoveryMs(results, 1_450)).to.equal(0);
    expect(recoveryMs(results.slice(0, 5), 1_050)).to.equal(undefined);
  });

  it('says what failed, and when', () => {
    expect(explainFailures(results)).to.equal('timeout 2 (0.2 s to 0.4 s)');
    expect(explainFailures([answered(0, 'a'), failed(500, 'ECONNREFUSED')])).to.equal(
      'ECONNREFUSED 1 (0.5 s)',
    );
    expect(explainFailures(results.slice(0, 2))).to.equal('none');
  });
});
