import { expect } from 'chai';
import { diffReports, untilForgotten } from '../../../../providers/haproxy/diff-reports.ts';
import type { HeardReport } from '../../../../providers/haproxy/edges.ts';
import { createHaproxyProvider } from '../../../../providers/haproxy/haproxy.ts';

const HOUR = 3600;
const report = (name: string, silentSeconds?: number, serving = true): HeardReport => ({
  name,
  serving,
  silentSeconds,
});

describe('providers/haproxy: edges that are gone', () => {
  it('are forgotten after an hour, once another serves', () => {
    const reports = [report('dead', HOUR), report('late', HOUR - 1), report('live')];
    expect(diffReports(reports).map(({ edge }) => edge)).to.deep.equal(['dead']);
    expect(diffReports(reports)[0]).to.include({ action: 'Delete', resource: 'EdgeReport' });
  });

  it('keep their word as long as no other serves', () => {
    expect(diffReports([report('dead', HOUR * 100)])).to.deep.equal([]);
    expect(diffReports([report('dead', HOUR * 100), report('other', HOUR * 100)])).to.deep.equal([]);
    expect(diffReports([report('dead', HOUR * 100), report('live', undefined, false)])).to.deep.equal([]);
    expect(untilForgotten([report('dead', HOUR * 100)])).to.equal(undefined);
  });

  it('are looked at again when the first of them is to go', () => {
    expect(untilForgotten([report('live')])).to.equal(undefined);
    expect(untilForgotten([report('a', 10), report('b', 100.5), report('live')])).to.equal(HOUR - 100);
    expect(untilForgotten([report('a', HOUR + 10), report('live')])).to.equal(1);
  });

  it('are nothing to be taken out of what goes itself', () => {
    const edges = {
      reportsOf: () => [],
      silentSeconds: () => undefined,
      isLive: () => false,
      isUnproven: () => false,
      takeOut: async () => {},
    };
    const provider = createHaproxyProvider(edges);
    expect(provider.diff(undefined, [report('dead', HOUR), report('live')])).to.deep.equal([]);
  });
});
