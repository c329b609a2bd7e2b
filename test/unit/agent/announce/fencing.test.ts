import { expect } from 'chai';
import type { MemberRecord } from '../../../../agent/announce/member-record.ts';
import { Ownership } from '../../../../agent/announce/ownership.ts';
import { checkTimes, DEFAULT_TIMES } from '../../../../agent/announce/times.ts';

const VIP = '198.18.0.200';

function record(
  node: string,
  seq: number,
  claims: string[] = [],
  dead: [string, string][] = [],
): MemberRecord {
  return {
    node,
    session: `${node}-life`,
    seq,
    claims: new Set(claims),
    dead: new Map(dead),
    labels: {},
    interfaces: [],
    peer: undefined,
  };
}

function ownership(apiOutage: 'Keep' | 'Fence' = 'Keep'): Ownership {
  return new Ownership({
    self: 'a',
    session: 'a-life',
    leaseMs: 3000,
    fenceMs: 2400,
    forgetMs: 600_000,
    apiOutage,
  });
}

/** Sends a write at `startedAt` and sees it come back at `now`. */
function renew(
  subject: Ownership,
  seq: number,
  startedAt: number,
  now: number,
  claims = [VIP],
  dead: [string, string][] = [],
) {
  subject.beginWrite(seq, startedAt, new Set(claims));
  subject.upsert(record('a', seq, claims, dead), now);
}

describe('the fence', () => {
  it('counts from the start of the renewal, not from its answer', () => {
    const subject = ownership();

    renew(subject, 1, 1000, 2200);

    expect(subject.held(3399)).to.deep.equal(new Set([VIP]));
    expect(subject.held(3400)).to.deep.equal(new Set());
  });

  it('counts only renewals that came back in the watch', () => {
    const subject = ownership();
    renew(subject, 1, 1000, 1010);

    subject.beginWrite(2, 2000, new Set([VIP]));

    expect(subject.deadline).to.equal(3400);
    subject.upsert(record('a', 2, [VIP]), 2010);
    expect(subject.deadline).to.equal(4400);
  });

  it('is prolonged by those who vouch, from the start of the question', () => {
    const subject = ownership();
    renew(subject, 1, 1000, 1010);

    subject.vouchedFor(3000);

    expect(subject.held(5399)).to.deep.equal(new Set([VIP]));
    expect(subject.held(5400)).to.deep.equal(new Set());
  });

  it('an address is not held again after the fence while another claims it', () => {
    const subject = ownership();
    renew(subject, 1, 1000, 1010);
    subject.upsert(record('b', 1, [VIP]), 2000);

    renew(subject, 2, 5000, 5010);

    expect(subject.held(5020)).to.deep.equal(new Set());
    expect(subject.lost(), 'to the end of the queue').to.deep.equal(new Set([VIP]));
  });

  it('an address is held at once again after the fence when nobody came', () => {
    const subject = ownership();
    renew(subject, 1, 1000, 1010);

    renew(subject, 2, 9000, 9010);

    expect(subject.held(9020)).to.deep.equal(new Set([VIP]));
  });

  it('what a write on its way leaves out is not held any more', () => {
    const subject = ownership();
    renew(subject, 1, 1000, 1010);

    subject.beginWrite(2, 1500, new Set());
    const whileOnItsWay = subject.held(1501);
    subject.upsert(record('a', 1, [VIP]), 1502);

    expect(whileOnItsWay).to.deep.equal(new Set());
    expect(subject.held(1503)).to.deep.equal(new Set());
  });

  it('a deleted Lease fences at once', () => {
    const subject = ownership();
    renew(subject, 1, 1000, 1010);

    subject.remove('a', 1100);

    expect(subject.held(1101)).to.deep.equal(new Set());
  });
});

describe('taking over', () => {
  function cluster(apiOutage: 'Keep' | 'Fence' = 'Keep'): Ownership {
    const subject = ownership(apiOutage);
    renew(subject, 1, 0, 0, []);
    subject.replace([record('a', 1), record('b', 7, [VIP]), record('c', 3)], 0);
    renew(subject, 2, 1, 10);
    renew(subject, 3, 1500, 1510);
    return subject;
  }

  it('waits behind a live claim, and takes its place when it is taken back', () => {
    const subject = cluster();
    expect(subject.held(20)).to.deep.equal(new Set());

    subject.upsert(record('b', 8, []), 100);

    expect(subject.held(101)).to.deep.equal(new Set([VIP]));
  });

  it('judges nobody before a whole lease has passed, nor while it does not see itself', () => {
    const subject = cluster();
    renew(subject, 4, 2900, 2910);

    expect(subject.judge(2999)).to.equal(false);
    expect(subject.judge(5400), 'its own last renewal is past the fence').to.equal(false);
    expect(subject.judge(3000)).to.equal(true);
  });

  it('needs half of the members to take the holder for dead', () => {
    const subject = cluster();
    renew(subject, 4, 2900, 2910);
    subject.judge(3000);
    renew(subject, 5, 3001, 3010, [VIP], [['b', 'b-life.7']]);
    expect(subject.held(3011), 'one of three').to.deep.equal(new Set());

    subject.upsert(record('c', 4, [], [['b', 'b-life.7']]), 3020);

    expect(subject.held(3021)).to.deep.equal(new Set([VIP]));
  });

  it('with apiOutage Fence its own verdict is enough', () => {
    const subject = cluster('Fence');
    renew(subject, 4, 2900, 2910);
    subject.judge(3000);

    renew(subject, 5, 3001, 3010, [VIP], [['b', 'b-life.7']]);

    expect(subject.held(3011)).to.deep.equal(new Set([VIP]));
    expect(subject.vouchersNeeded(3011)).to.equal(Number.POSITIVE_INFINITY);
  });

  it('a verdict is void once the holder renewed', () => {
    const subject = cluster();
    renew(subject, 4, 2900, 2910);
    subject.judge(3000);
    renew(subject, 5, 3001, 3010, [VIP], [['b', 'b-life.7']]);

    subject.upsert(record('b', 8, [VIP]), 3015);
    subject.upsert(record('c', 4, [], [['b', 'b-life.7']]), 3020);

    expect(subject.held(3021)).to.deep.equal(new Set());
    expect(subject.view.isDead('b')).to.equal(false);
  });
});

describe('vouching', () => {
  it('whom we vouch for is not judged for a whole lease', () => {
    const subject = ownership();
    renew(subject, 1, 0, 0, []);
    subject.replace([record('a', 1), record('b', 7, [VIP])], 0);
    renew(subject, 2, 2000, 2010, []);

    expect(subject.view.vouchFor('b', { session: 'b-life', seq: 7 }, 2900)).to.equal(true);

    expect(subject.judge(3500)).to.equal(false);
  });

  it('whom we took for dead we refuse, even when it came back, until it has seen so itself', () => {
    const subject = ownership();
    renew(subject, 1, 0, 0, []);
    subject.replace([record('a', 1), record('b', 7, [VIP])], 0);
    renew(subject, 2, 2000, 2010, []);
    subject.judge(3100);

    const asDead = subject.view.vouchFor('b', { session: 'b-life', seq: 7 }, 3200);
    subject.upsert(record('b', 8, [VIP]), 3300);
    const notSeenByItself = subject.view.vouchFor('b', { session: 'b-life', seq: 7 }, 3400);
    const seenByItself = subject.view.vouchFor('b', { session: 'b-life', seq: 8 }, 3500);

    expect([asDead, notSeenByItself, seenByItself]).to.deep.equal([false, false, true]);
  });

  it('for renewals from before our time we do not vouch: an earlier life of ours may have taken it for dead', () => {
    const subject = ownership();
    subject.replace([record('b', 7, [VIP])], 0);

    expect(subject.view.vouchFor('b', { session: 'b-life', seq: 6 }, 100)).to.equal(false);
  });
});

describe('times', () => {
  it('leave room between fence and lease, and for two renewals within the fence', () => {
    expect(checkTimes(DEFAULT_TIMES)).to.equal(DEFAULT_TIMES);
    expect(() => checkTimes({ ...DEFAULT_TIMES, fenceMs: 2900 })).to.throw('0.9');
    expect(() => checkTimes({ ...DEFAULT_TIMES, renewMs: 1500 })).to.throw('half');
  });
});
