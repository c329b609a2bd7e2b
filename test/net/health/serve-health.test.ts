import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import type { HealthFacts } from '../../../agent/web/health-pages.ts';
import { serveHealth } from '../../../agent/web/serve-health.ts';
import { eventually } from '../../support/eventually.ts';
import { recordingLogger } from '../../unit/kube/support.ts';

const AT = { host: '127.0.0.1', port: 31_251 };
const URL = `http://${AT.host}:${AT.port}`;
const BUSY_MS = 6_000;
const WELL: HealthFacts = {
  programmed: true,
  waitingMs: undefined,
  eligible: true,
  lastUpdated: '2026-01-01T00:00:00.000Z',
};

describe('agent: its health pages', function () {
  this.timeout(60_000);
  let facts: HealthFacts;
  let answered: string[];
  let server: Awaited<ReturnType<typeof serveHealth>>;

  beforeEach(async () => {
    facts = WELL;
    answered = [];
    const onAnswer = (page: string, status: number) => answered.push(`${page} ${status}`);
    server = await serveHealth({ at: AT, health: () => facts, onAnswer, log: recordingLogger().log });
  });
  afterEach(() => server.close());

  it('say how things are now, and are counted', async () => {
    expect((await fetch(`${URL}/healthz`)).status).to.equal(200);
    facts = { ...WELL, eligible: false };
    expect((await fetch(`${URL}/healthz`)).status).to.equal(503);
    expect((await fetch(`${URL}/livez`)).status).to.equal(200);
    expect((await fetch(`${URL}/else`)).status).to.equal(404);
    await eventually(async () => expect(answered).to.deep.equal(['healthz 200', 'healthz 503', 'livez 200']));
  });

  it('are answered while the agent is busy with something else', async () => {
    await fetch(`${URL}/livez`);
    const asking = spawn(
      'curl',
      ['-sS', '-o', '/dev/null', '-w', '%{http_code} %{time_total}', `${URL}/livez`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    asking.stdout.on('data', (data: Buffer) => {
      said += data.toString();
    });
    // This very thread does nothing else meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
    await once(asking, 'close');
    const [status, seconds] = said.split(' ');
    expect(status).to.equal('200');
    expect(Number(seconds) * 1_000).to.be.below(BUSY_MS / 2);
  });

  it('end with the agent', async () => {
    await server.close();
    expect(await fetch(`${URL}/livez`).catch(() => 'nobody')).to.equal('nobody');
  });
});
