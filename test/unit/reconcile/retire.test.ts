import { expect } from 'chai';
import { RetireClock } from '../../../operator/reconcile/retire-clock.ts';
import { Retirer } from '../../../operator/reconcile/retire-load-balancers.ts';
import { known, makeLoadBalancer, makeProvider } from '../plan/objects.ts';

describe('Load balancers that their Service left', () => {
  const old = makeLoadBalancer('usual');
  const gone = makeLoadBalancer('gone');

  const makeRetirer = (retireSeconds?: number) => {
    const spec = retireSeconds === undefined ? {} : { retireSeconds };
    return new Retirer({ providers: known(makeProvider('usual', spec)) });
  };

  it('serve for as long as those that are asked for do not', () => {
    const { due, serving, findings, nextSeconds } = makeRetirer(0).plan('n/web', [old], false);
    expect([due, serving, nextSeconds]).to.deep.equal([[], [old], undefined]);
    expect(findings.map(({ message }) => message)).to.deep.equal([
      "Load balancer web.usual isn't asked for any more, and goes on serving until those that are asked for serve.",
    ]);
  });

  it('go at once where the provider says so', () => {
    const { due, serving, findings } = makeRetirer(0).plan('n/web', [old], true);
    expect([due, serving, findings]).to.deep.equal([[old], [], []]);
  });

  it('serve for ten minutes where nobody says anything, also once their provider is gone', () => {
    const { due, serving, findings, nextSeconds } = makeRetirer().plan('n/web', [old, gone], true);
    expect([due, serving]).to.deep.equal([[], [old, gone]]);
    expect(findings.map(({ message }) => message).join(' '))
      .to.contain('for 600 s')
      .and.contain('web.gone');
    expect(nextSeconds).to.be.within(599, 601);
  });

  it('that are being deleted are left to those who hold them', () => {
    const deleted = {
      ...old,
      metadata: { ...old.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
    };
    const { due, serving } = makeRetirer(60).plan('n/web', [deleted], true);
    expect([due, serving]).to.deep.equal([[deleted], []]);
  });

  it('have their time from when they only wait, and all of it anew after something else held them', () => {
    let now = 0;
    const clock = new RetireClock(() => now);
    const follow = (...waiting: [string, number][]) => [...clock.follow('n/web', new Map(waiting))];
    expect(follow(['a', 10])).to.deep.equal([['a', 10]]);
    now = 4_000;
    expect(follow(['a', 10], ['b', 60])).to.deep.equal([
      ['a', 6],
      ['b', 60],
    ]);
    now = 11_000;
    expect(follow(['a', 10], ['b', 5])).to.deep.equal([
      ['a', 0],
      ['b', 0],
    ]);
    expect(follow()).to.deep.equal([]);
    expect(follow(['a', 10])).to.deep.equal([['a', 10]]);
    clock.forget('n/web');
    now = 20_000;
    expect(follow(['a', 10])).to.deep.equal([['a', 10]]);
  });
});
