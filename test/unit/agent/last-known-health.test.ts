import { expect } from 'chai';
import type { HealthFacts } from '../../../agent/web/health-pages.ts';
import { LastKnownHealth } from '../../../agent/web/last-known-health.ts';

const WELL: HealthFacts = {
  programmed: true,
  waitingMs: undefined,
  eligible: true,
  lastUpdated: '2026-01-01T00:00:00.000Z',
};

describe('agent: its health as another thread knows it', () => {
  let nowMs: number;
  let asked: number;
  let answer: ((health: LastKnownHealth) => void) | null;
  let health: LastKnownHealth;

  beforeEach(() => {
    nowMs = 0;
    asked = 0;
    answer = null;
    health = new LastKnownHealth({
      ask: () => {
        asked++;
        answer?.(health);
      },
      patienceMs: 5,
      now: () => nowMs,
    });
  });

  it('is that of now, where the working thread answers', async () => {
    answer = (each) => each.tell({ ...WELL, waitingMs: 7 });
    expect(await health.facts()).to.deep.equal({ ...WELL, waitingMs: 7 });
    answer = (each) => setImmediate(() => each.tell(WELL));
    expect(await health.facts()).to.deep.equal(WELL);
    expect(asked).to.equal(2);
  });

  it('is not well before anything is known', async () => {
    expect(await health.facts()).to.deep.include({ programmed: false, eligible: false, lastUpdated: null });
  });

  it('is the last known one while that thread is busy, as if a change waited since it was asked', async () => {
    health.tell(WELL);
    nowMs = 1_000;
    expect(await health.facts()).to.deep.equal({ ...WELL, waitingMs: 0 });
    nowMs = 61_000;
    expect(await health.facts()).to.deep.equal({ ...WELL, waitingMs: 60_000 });
    expect(asked, 'one question is enough').to.equal(1);

    health.tell({ ...WELL, waitingMs: 100 });
    answer = (each) => each.tell(WELL);
    expect(await health.facts()).to.deep.equal(WELL);
  });

  it('adds its silence to what waited before', async () => {
    health.tell({ ...WELL, waitingMs: 500 });
    const asking = health.facts();
    nowMs = 300;
    expect(await asking).to.include({ waitingMs: 800 });
  });
});
