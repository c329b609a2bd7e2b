import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { KubeClient } from '../../../kube/client.ts';
import { Elector } from '../../../kube/elector.ts';
import { silentLogger } from '../../../kube/log.ts';
import { LEASES, NAMESPACES } from '../../../kube/resources.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import type { TcpProxy } from '../../peers/tcp-proxy.ts';
import { freshNamespace, sharedCluster } from '../support/cluster.ts';
import { adminConfig, eventually, proxiedClient } from './support.ts';

const TIMES = { leaseDurationMs: 3_000, renewDeadlineMs: 1_500, retryPeriodMs: 200 };
/** For what has nothing to do with how long it lasts: a busy machine keeps that too. */
const PATIENT = { ...TIMES, leaseDurationMs: 15_000, renewDeadlineMs: 10_000 };

describe('kube/elector', function () {
  this.timeout(60_000);
  let cluster: ControlPlane;
  let client: KubeClient;
  let namespace = '';
  let made: Elector[];
  let child: Child | undefined;

  function elector(identity: string, through = client, told: string[] = [], times = TIMES): Elector {
    const each = new Elector({
      client: through,
      namespace,
      name: 'leader',
      identity,
      ...times,
      log: silentLogger,
      onStartedLeading: () => void told.push('started'),
      onStoppedLeading: (why) => void told.push(`stopped: ${why}`),
    });
    made.push(each);
    return each;
  }
  const lease = () => client.get(LEASES, namespace, 'leader');

  before(async () => {
    cluster = await sharedCluster();
    client = new KubeClient(await adminConfig(cluster));
  });
  after(() => client.close());
  beforeEach(async () => {
    namespace = await freshNamespace(cluster);
    made = [];
  });
  afterEach(async () => {
    await child?.kill();
    child = undefined;
    await Promise.all(made.map((each) => each.stop()));
    await client.delete(NAMESPACES, undefined, namespace);
  });

  it('lets one of three lead, and writes a Lease that others can read', async () => {
    const all = ['a', 'b', 'c'].map((identity) => elector(identity, client, [], PATIENT));
    for (const each of all) each.start();
    await eventually('one leads', () => all.some((each) => each.isLeader));
    await sleep(1_000);

    const leaders = all.filter((each) => each.isLeader);
    const { spec } = await lease();

    expect(leaders).to.have.length(1);
    expect(spec?.holderIdentity).to.equal(['a', 'b', 'c'][all.findIndex((each) => each.isLeader)]);
    expect(spec?.leaseDurationSeconds).to.equal(15);
    expect(spec?.renewTime).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it('renews while it leads, without another transition', async () => {
    const told: string[] = [];
    const each = elector('a', client, told, PATIENT);
    each.start();
    await eventually('it leads', () => each.isLeader);
    const first = (await lease()).spec;
    await eventually('it renewed', async () => (await lease()).spec?.renewTime !== first?.renewTime);
    const later = (await lease()).spec;

    expect(later?.acquireTime).to.equal(first?.acquireTime);
    expect(later?.leaseTransitions).to.equal(0);
    expect(told).to.deep.equal(['started']);
  });

  it('gives the Lease away on stop, so that the next leads at once', async () => {
    const told: string[] = [];
    const first = elector('a', client, told, PATIENT);
    const second = elector('b', client, [], PATIENT);
    first.start();
    await eventually('the first leads', () => first.isLeader);
    second.start();
    await sleep(300);

    await first.stop();
    const released = (await lease()).spec?.holderIdentity;
    const begin = performance.now();
    await eventually('the second leads', () => second.isLeader);

    expect(['', 'b']).to.include(released ?? '');
    // Waiting the Lease out would take 15 s.
    expect(performance.now() - begin).to.be.below(10_000);
    expect(told).to.deep.equal(['started', 'stopped: Stopped']);
    expect(first.isLeader).to.equal(false);
    expect((await lease()).spec?.leaseTransitions).to.be.at.least(1);
  });

  it('leaves a Lease alone that another holds, also on stop', async () => {
    const first = elector('a', client, [], PATIENT);
    first.start();
    await eventually('the first leads', () => first.isLeader);
    const second = elector('b');
    second.start();
    await sleep(500);
    await second.stop();

    expect((await lease()).spec?.holderIdentity).to.equal('a');
    expect(first.isLeader).to.equal(true);
  });

  it('waits out a Lease whose clock is hours ahead or behind: only its own clock counts', async () => {
    for (const [name, hours] of [
      ['past', -5],
      ['future', 5],
    ] as const) {
      const renewTime = new Date(Date.now() + hours * 3_600_000).toISOString().replace('Z', '000Z');
      const spec = { holderIdentity: name, leaseDurationSeconds: 2, renewTime, acquireTime: renewTime };
      await client.delete(LEASES, namespace, 'leader');
      await client.create(LEASES, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { namespace, name: 'leader' },
        spec,
      });
      const each = elector(`after-${name}`);
      const begin = performance.now();
      each.start();
      await eventually('it leads', () => each.isLeader);

      expect(performance.now() - begin).to.be.at.least(2_000);
      await each.stop();
    }
  });

  it('stops leading by itself when cut off, before another begins; and they never lead both', async () => {
    const { client: cutOff, proxy } = await proxiedClient(cluster);
    const told: string[] = [];
    const first = elector('a', cutOff, told);
    const second = elector('b', client, told);
    first.start();
    await eventually('the first leads', () => first.isLeader);
    second.start();
    await sleep(300);
    const overlap = watchOverlap(first, second);

    proxy.stall();
    await eventually('the second leads', () => second.isLeader);
    proxy.heal();
    await sleep(1_000);

    expect(told.slice(0, 3)).to.deep.equal(['started', 'stopped: RenewDeadlinePassed', 'started']);
    expect(overlap()).to.equal(0);
    await first.stop();
    await closeBoth(cutOff, proxy);
  });

  it('keeps leading through a cut connection that is back in time', async () => {
    const { client: shaky, proxy } = await proxiedClient(cluster);
    const told: string[] = [];
    const each = elector('a', shaky, told, PATIENT);
    each.start();
    await eventually('it leads', () => each.isLeader);

    for (let i = 0; i < 5; i++) {
      proxy.cut();
      await sleep(300);
    }

    expect(each.isLeader).to.equal(true);
    expect(told).to.deep.equal(['started']);
    await each.stop();
    await closeBoth(shaky, proxy);
  });

  it('stops leading when someone else took the Lease by hand', async () => {
    const told: string[] = [];
    const each = elector('a', client, told, PATIENT);
    each.start();
    await eventually('it leads', () => each.isLeader);

    await client.patch(
      LEASES,
      namespace,
      'leader',
      { spec: { holderIdentity: 'thief' } },
      { contentType: 'merge' },
    );
    await eventually('it stopped', () => told.length === 2);

    expect(told[1]).to.equal('stopped: Lease taken by thief');
    expect(each.isLeader).to.equal(false);
  });

  it('knows, the moment it wakes from a pause, that it does not lead any more', async () => {
    child = await startChild(cluster.kubeconfig, namespace);
    const { samples, signal } = child;
    await eventually('the child leads', () => samples.at(-1)?.leads === true);
    const second = elector('parent', client, [], PATIENT);
    second.start();
    await sleep(300);

    signal('SIGSTOP');
    await eventually('the parent leads', () => second.isLeader);
    const parentSince = Date.now();
    await sleep(500);
    signal('SIGCONT');
    const countAtWake = samples.length;
    await eventually('the child is awake', () => samples.length > countAtWake + 20);

    const wrong = samples.filter(({ at, leads }) => leads && at >= parentSince);
    expect(wrong).to.deep.equal([]);
    expect(second.isLeader).to.equal(true);
  });

  it('refuses times under which two could lead at once', () => {
    const options = {
      client,
      namespace,
      name: 'x',
      identity: 'x',
      log: silentLogger,
      onStartedLeading() {},
      onStoppedLeading() {},
    };

    expect(() => new Elector({ ...options, leaseDurationMs: 5_000, renewDeadlineMs: 5_000 })).to.throw(
      'renewDeadlineMs',
    );
    expect(() => new Elector({ ...options, renewDeadlineMs: 2_000 })).to.throw('retryPeriodMs');
  });
});

/** Looks each few milliseconds whether both lead; the function returned stops that and says how often. */
function watchOverlap(a: Elector, b: Elector): () => number {
  let overlaps = 0;
  const timer = setInterval(() => {
    if (a.isLeader && b.isLeader) overlaps++;
  }, 2);
  return () => {
    clearInterval(timer);
    return overlaps;
  };
}

async function closeBoth(client: KubeClient, proxy: TcpProxy): Promise<void> {
  await client.close();
  await proxy.stop();
}

interface Sample {
  /** Wall clock, ms: parent and child share it. */
  at: number;
  leads: boolean;
}

interface Child {
  samples: Sample[];
  signal: (signal: NodeJS.Signals) => void;
  kill(): Promise<void>;
}

/** An elector in a process of its own, which says all the time whether it leads. */
async function startChild(kubeconfig: string, namespace: string): Promise<Child> {
  const script = new URL('../../peers/elector-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, kubeconfig, namespace, JSON.stringify(TIMES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const samples: Sample[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => samples.push(JSON.parse(line)));
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  return {
    samples,
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
