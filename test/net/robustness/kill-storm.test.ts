import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { removeTables } from '../../../agent/clean-up.ts';
import { createNft } from '../../../agent/nftables/run-nft.ts';
import { type ForwardingLab, NODES, PODS } from '../support/forwarding-lab.ts';
import { run } from '../support/run.ts';
import { sharedLab } from '../support/shared-lab.ts';
import type { Outcome } from '../support/station-protocol.ts';
import { clusterIpAt } from './support/synthetic-cluster.ts';

const AGENT = fileURLToPath(new URL('support/restless-agent.ts', import.meta.url));
const SERVICES = 5_000;
const STICKY_EVERY = 50;
/** More by KILLS=1000, the same ones again by SEED. */
const KILLS = Number(process.env.KILLS ?? 40);
const [NODE_1] = NODES;
/** On node-1: the last one calls. */
const [SERVER, CALLER, OTHER] = PODS;
if (!NODE_1 || !SERVER || !CALLER || !OTHER) throw new Error('the lab is too small');

interface Probe {
  index: number;
  outcome: Outcome;
}

/** On node-1, whose own agent is stopped for it. */
describe('agent killed at any moment', function () {
  this.timeout(600_000);
  let lab: ForwardingLab;
  let child: ChildProcess | undefined;
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  const random = createRandom(seed);
  const findings: string[] = [];
  const nft = createNft(['ip', 'netns', 'exec', NODE_1.name]);
  const endpoints = [SERVER, OTHER, PODS[3] ?? OTHER].map(({ address }) => address);

  /** Resolves when the agent says that everything is in the kernel. */
  const start = (isRestless: boolean) => {
    child = spawn(
      'ip',
      [
        ...['netns', 'exec', NODE_1.name, process.execPath, AGENT, NODE_1.name, String(SERVICES)],
        ...[String(STICKY_EVERY), isRestless ? 'yes' : 'no', ...endpoints],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const { stdout } = child;
    if (stdout === null) throw new Error('the agent has no output');
    return new Promise<void>((resolve) => {
      createInterface(stdout).on('line', (line) => {
        if (line === 'started') resolve();
        else findings.push(line);
      });
    });
  };
  const kill = async () => {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    child = undefined;
    await ended;
  };
  const dial = async (index: number): Promise<Probe> => {
    const outcome = await lab.station(CALLER.name).dial('tcp', clusterIpAt(index), 80, 5_000);
    return { index, outcome };
  };
  const retransmissions = async () => {
    const text = await run('ip', 'netns', 'exec', CALLER.name, 'cat', '/proc/net/snmp');
    const [names = [], values = []] = text
      .split('\n')
      .filter((line) => line.startsWith('Tcp:'))
      .map((line) => line.split(' '));
    return Number(values[names.indexOf('RetransSegs')]);
  };

  before(async () => {
    lab = await sharedLab();
    await lab.agents[0]?.stop();
    await start(false);
  });

  after(async () => {
    await kill();
    await removeTables(nft);
    await lab.agents[0]?.restart({ services: [], slices: [] });
  });

  it(`serves all of ${SERVICES} Services at 100 connections a second, through ${KILLS} kills (seed ${seed})`, async () => {
    const stickies = Array.from({ length: 20 }, (_, i) => i * STICKY_EVERY);
    const pins = new Map<number, string>();
    for (const index of stickies) pins.set(index, servedBy(await dial(index)));
    for (const index of [1, 2, 3]) {
      const flow = { transport: 'tcp' as const, address: clusterIpAt(index), port: 80 };
      await lab.station(CALLER.name).openFlow(`kept-${index}`, flow);
    }
    const probes: Promise<Probe>[] = [];
    const before = await retransmissions();
    const timer = setInterval(() => {
      const isSticky = random() < 0.2;
      const index = isSticky
        ? (stickies[Math.floor(random() * stickies.length)] ?? 0)
        : Math.floor(random() * SERVICES);
      probes.push(dial(index));
    }, 10);

    const lost: string[] = [];
    await kill();
    for (let count = 0; count < KILLS; count++) {
      const started = start(true);
      // Half of them while it starts, the others somewhere in its changes.
      if (random() < 0.5) await sleep(random() * 1_500);
      else {
        await started;
        await sleep(random() * 700);
      }
      await kill();
      for (const index of [1, 2, 3]) {
        const { result } = await lab.station(CALLER.name).useFlow(`kept-${index}`, 5_000);
        if (result !== 'served') lost.push(`flow ${index} after kill ${count}: ${result}`);
      }
    }
    clearInterval(timer);
    const results = await Promise.all(probes);

    const failed = results.filter(({ outcome }) => outcome.result !== 'served');
    expect(failed, `of ${results.length}`).to.deep.equal([]);
    expect(lost).to.deep.equal([]);
    // A connection that was dropped for a moment is served too, a second later.
    expect((await retransmissions()) - before, 'packets sent twice').to.equal(0);
    const moved = results.filter(
      (probe) => pins.has(probe.index) && servedBy(probe) !== pins.get(probe.index),
    );
    expect(moved, 'clients sent elsewhere').to.deep.equal([]);
  });

  it('starts after all that with everything as it should be', async () => {
    await kill();
    await start(false);
    findings.length = 0;
    // Several rounds of the audit, over everything.
    await sleep(5_000);
    expect(findings).to.deep.equal([]);
  });
});

function servedBy({ outcome }: Probe): string {
  return outcome.result === 'served' ? outcome.by : outcome.result;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
