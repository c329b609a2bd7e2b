import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import type { Lease } from '../../../kube/objects.ts';
import { eventually, sleep } from '../../support/eventually.ts';
import { run } from '../support/run.ts';
import { DRAIN_SECONDS, EdgeLab } from './support/edge-lab.ts';
import { HeardTarget, proxyV2 } from './support/heard-target.ts';
import { ask, Load, open, stopServer } from './support/traffic.ts';

const VIP = '192.0.2.10';
/** Between changes, so that they don't all come together. */
const PAUSE_MS = 50;

/** After which the server keeps the connection. */
const KEPT_REQUEST = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';

function firstData(socket: Socket): Promise<string> {
  return new Promise((resolve) => socket.once('data', (data) => resolve(String(data))));
}

/** Whether anybody answers there. */
function outcome(address: string, port = 80): Promise<'served' | 'refused'> {
  return ask(address, port).then(
    () => 'served',
    () => 'refused',
  );
}

/** Asks until as many answers came from each of these as from the others, and from nobody else. */
async function answeredBy(addresses: readonly string[], port = 80, vip = VIP): Promise<void> {
  await eventually(async () => {
    const answers = await Promise.all(Array.from({ length: addresses.length * 3 }, () => ask(vip, port)));
    expect(new Set(answers)).to.have.keys(...addresses);
  });
}

describe('an edge and its HAProxy', function () {
  this.timeout(180_000);
  let lab: EdgeLab;
  let nodes: string[];
  let firstLease: Lease;

  before(async () => {
    lab = await EdgeLab.start('edge');
    nodes = [await lab.addNode(1), await lab.addNode(2)];
    await lab.addService('web', { address: VIP });
    await lab.healthyTargets('web', 2);
    firstLease = await eventually(() => lab.lease());
  });

  after(async () => {
    await lab?.stop();
  });

  /** Requests while `work` runs, and a little before; none may fail. */
  async function underLoad(work: () => Promise<void>): Promise<void> {
    const load = new Load(VIP, 80);
    try {
      await eventually(() => expect(load.answered).to.be.greaterThan(20));
      await work();
      const before = load.answered;
      await eventually(() => expect(load.answered).to.be.greaterThan(before + 20));
    } finally {
      await load.stop();
    }
    expect(load.failures).to.deep.equal([]);
  }

  it('serves a claimed address that it added to the interface, by every node', async () => {
    await answeredBy(nodes);
    const report = await lab.reportOf('web');
    expect(report).to.include({ name: 'edge-1', serving: true });
    expect(report.addresses).to.deep.equal([VIP]);
    expect(report.haproxy).to.match(/^\d+\.\d+/);
    expect(report.reason).to.equal(undefined);
  });

  it('tells its numbers and its health', async () => {
    const page = (path: string) =>
      run('ip', 'netns', 'exec', lab.netns, 'curl', '-s', `http://127.0.0.1:10359${path}`);
    expect(await page('/healthz')).to.equal('ok\n');
    // As of the last turn, which is a second ago at most.
    await eventually(async () => {
      const metrics = await page('/metrics');
      expect(metrics).to.include('fairlead_edge_targets_up{load_balancer="default/web.lab"} 2\n');
      expect(metrics).to.include('fairlead_edge_haproxy_up 1\n');
      expect(metrics).to.match(
        /^fairlead_edge_connections_accepted\{load_balancer="default\/web.lab"\} [1-9]/m,
      );
    });
  });

  it('puts back what somebody took away: a server, an address, its entry in the status', async () => {
    await lab.tellWorker('set server default.web.lab.80/10.88.1.1:30080 state maint');
    await lab.tellWorker('del server default.web.lab.80/10.88.1.1:30080');
    await run('ip', '-n', lab.netns, 'address', 'delete', `${VIP}/32`, 'dev', 'eth0');
    await lab.takeOutReports('web');
    await lab.healthyTargets('web', 2);
    await answeredBy(nodes);
    await eventually(async () => {
      expect(await run('ip', '-n', lab.netns, 'address', 'show', 'dev', 'eth0')).to.include(`${VIP}/32`);
    });
  });

  it('goes from 1 to 50 targets and back with no reload and no failed request', async () => {
    const [first = ''] = nodes;
    const reloads = await lab.reloads();
    await lab.deleteNode(2);
    await lab.healthyTargets('web', 1);
    await underLoad(async () => {
      const more: string[] = [];
      for (let host = 11; host <= 59; host++) more.push(await lab.addNode(host));
      await lab.healthyTargets('web', 50);
      await answeredBy([first, ...more]);
      for (let host = 11; host <= 59; host++) await lab.deleteNode(host);
      await answeredBy([first]);
      await lab.healthyTargets('web', 1);
    });
    expect(await lab.reloads()).to.equal(reloads);
    await lab.addNode(2);
    await lab.healthyTargets('web', 2);
    await answeredBy(nodes);
  });

  it('lets go on what is open to a node that leaves', async () => {
    const leaving = await lab.addNode(3);
    await lab.healthyTargets('web', 3);
    const slow = Array.from({ length: 9 }, () => ask(VIP, 80, { path: '/slow' }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await lab.deleteNode(3);
    expect(await Promise.all(slow)).to.include(leaving);
    await answeredBy(nodes);
  });

  it('ends what a node that leaves still has once drainSeconds are over, and refuses nobody new', async () => {
    const vip = '192.0.2.27';
    await lab.addService('brief', { address: vip, targets: { mode: 'NodePort', drainSeconds: 1 } });
    const leaving = await lab.addNode(3);
    await lab.healthyTargets('brief', 3);
    const load = new Load(vip, 80, 'new');
    // Held open by the server for longer than it may be.
    const held = await Promise.all(Array.from({ length: 9 }, () => open(vip, 80, KEPT_REQUEST)));
    const answers = await Promise.all(held.map((socket) => firstData(socket)));
    await lab.deleteNode(3);
    const ofLeaving = held.filter((_, index) => answers[index]?.includes(leaving));
    const others = held.filter((socket) => !ofLeaving.includes(socket));
    expect(ofLeaving).to.not.have.length(0);
    await eventually(() => expect(ofLeaving.map(({ closed }) => closed)).to.not.include(false));
    expect(others.map(({ closed }) => closed)).to.not.include(true);
    await eventually(() => expect(load.answered).to.be.greaterThan(20));
    await load.stop();
    expect(load.failures).to.deep.equal([]);
    for (const socket of held) socket.destroy();
    await lab.deleteService('brief');
    await answeredBy(nodes);
  });

  it('ends what a node that leaves has from before a reload, too, and nothing that other nodes have', async () => {
    const vip = '192.0.2.31';
    await lab.addService('older', { address: vip, targets: { mode: 'NodePort', drainSeconds: 1 } });
    const leaving = await lab.addNode(3);
    await lab.healthyTargets('older', 3);
    const held = await Promise.all(Array.from({ length: 9 }, () => open(vip, 80, KEPT_REQUEST)));
    const answers = await Promise.all(held.map((socket) => firstData(socket)));
    const ofLeaving = held.filter((_, index) => answers[index]?.includes(leaving));
    const others = held.filter((socket) => !ofLeaving.includes(socket));
    expect(ofLeaving).to.not.have.length(0);
    const reloads = await lab.reloads();
    await lab.addService('reloaded', { address: '192.0.2.32' });
    await lab.healthyTargets('reloaded', 3);
    expect(await lab.reloads()).to.be.greaterThan(reloads);
    expect(held.map(({ closed }) => closed)).to.not.include(true);
    await lab.deleteNode(3);
    await eventually(() => expect(ofLeaving.map(({ closed }) => closed)).to.not.include(false));
    expect(others.map(({ closed }) => closed)).to.not.include(true);
    for (const socket of held) socket.destroy();
    await lab.deleteService('older');
    await lab.deleteService('reloaded');
    await answeredBy(nodes);
  });

  it('gives a node that leaves all of drainSeconds though it was down before, and though the edge is killed meanwhile', async () => {
    const vip = '192.0.2.30';
    const drainSeconds = 4;
    let status = 200;
    const leaving = await lab.addNode(3);
    const server = createServer((_, response) => {
      response.statusCode = status;
      response.end(leaving);
    });
    server.keepAliveTimeout = 600_000;
    await new Promise<void>((resolve) => server.listen(30_091, leaving, resolve));
    try {
      await lab.addService('ill', {
        address: vip,
        frontends: [{ protocol: 'TCP', port: 80, nodePort: 30_091 }],
        healthCheckPath: '/healthz',
        targets: { mode: 'NodePort', drainSeconds },
      });
      const healthy = async () => (await lab.reportOf('ill')).targets?.healthy;
      await eventually(async () => expect(await healthy()).to.equal(1));
      const held = await open(vip, 80, KEPT_REQUEST);
      expect(await firstData(held)).to.include(leaving);
      const closed = new Promise<number>((resolve) => held.once('close', () => resolve(performance.now())));
      status = 503;
      await eventually(async () => expect(await healthy()).to.equal(0));
      // Down for longer than it may drain.
      await eventually(async () => {
        const rows = (await lab.tellWorker('show stat -1 4 -1')).split('\n').map((row) => row.split(','));
        const column = (name: string) => rows[0]?.indexOf(name) ?? -1;
        const row = rows.find((each) => each[0] === 'default.ill.lab.80' && each[1] === `${leaving}:30091`);
        expect(Number(row?.[column('lastchg')])).to.be.greaterThan(drainSeconds);
      });
      const leftAt = performance.now();
      await lab.deleteNode(3);
      // Unless it was too late to see that.
      await eventually(async () => {
        if (!held.closed) expect((await lab.reportOf('ill')).targets?.draining).to.equal(1);
      });
      await lab.edge.end('SIGKILL');
      lab.startEdgeAgain();
      expect((await closed) - leftAt).to.be.greaterThan(drainSeconds * 1_000 - 100);
    } finally {
      await stopServer(server);
      await lab.deleteService('ill');
    }
    await lab.edge.says('Serving');
    await answeredBy(nodes);
  });

  it('carries out 100 changes of other Services with at most one reload a second and no failed request', async () => {
    const others = Array.from({ length: 34 }, (_, index) => `other-${index + 1}`);
    const reloads = await lab.reloads();
    const startedAt = performance.now();
    let changes = 0;
    await underLoad(async () => {
      for (const [index, name] of others.entries()) {
        await lab.addService(name, { address: `192.0.2.${101 + index}` });
        changes++;
        await sleep(PAUSE_MS);
      }
      for (const name of others.slice(0, 32)) {
        await lab.patchService(name, { sourceRanges: ['10.88.0.0/16'] });
        changes++;
        await sleep(PAUSE_MS);
      }
      await lab.healthyTargets('other-34', 2);
      for (const name of others) {
        await lab.deleteService(name);
        changes++;
        await sleep(PAUSE_MS);
      }
      await eventually(async () => expect(await outcome('192.0.2.134')).to.equal('refused'));
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const made = (await lab.reloads()) - reloads;
    expect(changes).to.equal(100);
    // That changes were spread over several, and gathered.
    expect(made).to.be.within(3, Math.ceil(seconds) + 1);
  });

  it('serves 199 of 200 Services and names the one that is at fault', async () => {
    const crowd = Array.from({ length: 200 }, (_, index) => `crowd-${index + 1}`);
    const addressOf = (index: number) => `192.0.3.${index + 1}`;
    const culprit = 'crowd-77';
    await underLoad(async () => {
      await Promise.all(
        crowd.map((name, index) =>
          lab.addService(name, {
            address: addressOf(index),
            ...(name === culprit ? { sourceRanges: ['10.0.0.0/99'] } : {}),
          }),
        ),
      );
      await eventually(async () => {
        expect(await lab.reportOf(culprit)).to.include({ reason: 'ConfigurationRefused', serving: false });
      });
      await eventually(async () => {
        // All of them are much to list.
        await sleep(500);
        const reports = await lab.reports();
        const well = crowd.filter((name) => reports.get(name)?.targets?.healthy === 2);
        expect(crowd.filter((name) => !well.includes(name))).to.deep.equal([culprit]);
      }, 90_000);
    });
    const outcomes = await Promise.all(crowd.map((_, index) => outcome(addressOf(index))));
    expect(crowd.filter((_, index) => outcomes[index] !== 'served')).to.deep.equal([culprit]);
    expect((await lab.reportOf(culprit)).message).to.include("'10.0.0.0/99' is not a valid");
    const reports = await lab.reports();
    expect(crowd.filter((name) => reports.get(name)?.reason !== undefined)).to.deep.equal([culprit]);
    await Promise.all(crowd.map((name) => lab.deleteService(name)));
  });

  it('never loads what HAProxy refuses: who is to blame is named, what it was stays, others go on', async () => {
    await lab.addService('sick', { address: '192.0.2.20' });
    await lab.healthyTargets('sick', 2);
    await underLoad(async () => {
      await lab.patchService('sick', { sourceRanges: ['10.0.0.0/99'] });
      await lab.addService('sound', { address: '192.0.2.21' });
      await lab.healthyTargets('sound', 2);
      await eventually(async () => {
        expect(await lab.reportOf('sick')).to.include({ reason: 'ConfigurationRefused', serving: true });
      });
    });
    const report = await lab.reportOf('sick');
    expect(report.message).to.include("'10.0.0.0/99' is not a valid IPv4 or IPv6 address");
    expect((await lab.reportOf('sound')).reason).to.equal(undefined);
    await answeredBy(nodes, 80, '192.0.2.20');

    const { metadata } = await lab.patchService('sick', { sourceRanges: ['10.88.0.0/16'] });
    await eventually(async () => {
      const mended = await lab.reportOf('sick');
      expect(mended.reason).to.equal(undefined);
      expect(mended.observedGeneration).to.equal(metadata.generation);
    });
    await answeredBy(nodes, 80, '192.0.2.20');
  });

  it('renews its Lease', async () => {
    await eventually(async () => {
      const lease = await lab.lease();
      expect(lease.metadata.labels).to.include({ 'fairlead.dev/component': 'edge' });
      expect(lease.spec).to.include({ holderIdentity: 'lab/edge-1', leaseDurationSeconds: 40 });
      expect(lease.spec?.renewTime).to.not.equal(firstLease.spec?.renewTime);
    });
  });

  it('finds a port that something else has before HAProxy pauses for it, and serves there once it is free', async () => {
    const taken = await lab.listen('192.0.2.25', 80);
    try {
      const reloads = await lab.reloads();
      await underLoad(async () => {
        await lab.addService('late', { address: '192.0.2.25' });
        await eventually(async () => {
          const report = await lab.reportOf('late');
          expect(report).to.include({ reason: 'PortTaken', serving: false });
          expect(report.message).to.include('192.0.2.25 port 80');
        });
      });
      expect(await lab.reloads()).to.equal(reloads);
    } finally {
      await taken.end('SIGKILL');
    }
    await lab.healthyTargets('late', 2);
    await answeredBy(nodes, 80, '192.0.2.25');
  });

  it('sends traffic straight to pods that are ready, and follows them with no reload', async () => {
    await lab.addService('pods', {
      address: '192.0.2.26',
      frontends: [{ name: 'http', protocol: 'TCP', port: 80 }],
      targets: { mode: 'Pod', drainSeconds: DRAIN_SECONDS },
    });
    const [first = '', second = ''] = nodes;
    await lab.setPods('pods', { [first]: true, [second]: false });
    await answeredBy([first], 80, '192.0.2.26');
    const reloads = await lab.reloads();
    await lab.setPods('pods', { [first]: true, [second]: true });
    await answeredBy([first, second], 80, '192.0.2.26');
    await lab.setPods('pods', { [first]: false, [second]: true });
    await answeredBy([second], 80, '192.0.2.26');
    expect(await lab.reloads()).to.equal(reloads);
  });

  it('gives each node as much as its pods take with externalTrafficPolicy Local, and follows them with no reload', async () => {
    const vip = '192.0.2.29';
    const [first = '', second = ''] = nodes;
    await lab.countPods('local', { 'node-1': 3, 'node-2': 1 });
    await lab.addService('local', {
      address: vip,
      externalTrafficPolicy: 'Local',
      frontends: [{ name: 'http', protocol: 'TCP', port: 80, nodePort: 30_080 }],
    });
    await lab.healthyTargets('local', 2);
    await eventually(async () => {
      const answers: string[] = [];
      for (let asked = 0; asked < 40; asked++) answers.push(await ask(vip, 80));
      expect(answers.filter((each) => each === first)).to.have.length(30);
    });
    const reloads = await lab.reloads();
    const held = await Promise.all(Array.from({ length: 8 }, () => open(vip, 80, KEPT_REQUEST)));
    const answers = await Promise.all(held.map((socket) => firstData(socket)));
    expect(answers.some((answer) => answer.includes(second))).to.equal(true);
    await lab.countPods('local', { 'node-1': 1 });
    await answeredBy([first], 80, vip);
    // What is open goes on, and is told until it ends.
    await eventually(async () => {
      expect((await lab.reportOf('local')).targets).to.deep.equal({ desired: 1, healthy: 1, draining: 1 });
    });
    expect(held.map(({ closed }) => closed)).to.not.include(true);
    for (const socket of held) socket.destroy();
    await lab.healthyTargets('local', 1);
    await eventually(async () => {
      expect((await lab.reportOf('local')).targets).to.deep.equal({ desired: 1, healthy: 1 });
    });
    await lab.countPods('local', { 'node-1': 2, 'node-2': 2 });
    await answeredBy([first, second], 80, vip);
    expect(await lab.reloads()).to.equal(reloads);
  });

  it('gives nodes what the provider says that they get, and nothing new to those of weight 0, with no reload', async () => {
    const [first = '', second = ''] = nodes;
    const reloads = await lab.reloads();
    await lab.labelNode(1, { retired: 'yes' });
    await lab.patchProvider({
      weights: [{ nodeSelector: { matchExpressions: [{ key: 'retired', operator: 'Exists' }] }, weight: 0 }],
    });
    await answeredBy([second]);
    await lab.patchProvider({ weights: null });
    await answeredBy([first, second]);
    await lab.labelNode(1, { retired: null });
    expect(await lab.reloads()).to.equal(reloads);
  });

  it('refuses who is in no source range', async () => {
    await lab.addService('fenced', { address: '192.0.2.22', sourceRanges: ['203.0.113.0/24'] });
    await lab.healthyTargets('fenced', 2);
    expect(await outcome('192.0.2.22')).to.equal('refused');
  });

  it('sends a client to one node with session affinity, through a reload too', async () => {
    await lab.addService('sticky', { address: '192.0.2.23', sessionAffinitySeconds: 60 });
    await lab.healthyTargets('sticky', 2);
    // It was taught by the one before, or waited for that in vain: from now on it teaches.
    await eventually(async () => {
      expect(await lab.tellWorker('show peers')).to.match(/^\S+: .* flags=0x[0-9a-f]*3 /m);
    });
    const first = await ask('192.0.2.23', 80);
    const reloads = await lab.reloads();
    await lab.addService('next', { address: '192.0.2.24' });
    await lab.healthyTargets('next', 2);
    expect(await lab.reloads()).to.be.greaterThan(reloads);
    // Before anybody asks again: the new worker was told by the old one.
    await eventually(async () => {
      expect(await lab.tellWorker('show table default.sticky.lab.80')).to.include('10.88.0.1 ');
    });
    for (let index = 0; index < 10; index++) expect(await ask('192.0.2.23', 80)).to.equal(first);
  });

  it('ends what a reload left behind once hardStopAfterSeconds are over, and tells of how many there are', async () => {
    const oldWorkers = async () => {
      const address = 'http://127.0.0.1:10359/metrics';
      const metrics = await run('ip', 'netns', 'exec', lab.netns, 'curl', '-s', address);
      return Number(/^fairlead_edge_old_workers (\d+)$/m.exec(metrics)?.[1]);
    };
    /** By the worker that serves: what changed before may take a reload of its own. */
    const takenIn = async (seconds: number) => {
      await lab.patchProvider({ hardStopAfterSeconds: seconds });
      await eventually(async () => {
        const config = await readFile(`${lab.folder}/haproxy.cfg`, 'utf8');
        expect(config).to.include(`hard-stop-after ${seconds}s`);
        const [description = 'none'] = /description .*/.exec(config) ?? [];
        expect(await lab.tellWorker('show info')).to.include(description.replace(' ', ': '));
      });
    };
    /** At the worker that serves now: the one before it takes connections until this one is ready. */
    const hold = () =>
      eventually(async () => {
        const socket = await open(VIP, 80, KEPT_REQUEST);
        const sessions = await firstData(socket).then(() => lab.tellWorker('show sess'));
        if (sessions.includes(`:${socket.localPort} `)) return socket;
        socket.destroy();
        throw new Error(`another worker has it: ${sessions}`);
      });
    await eventually(async () => expect(await oldWorkers()).to.equal(0));
    const long = await hold();
    await takenIn(1);
    const brief = await hold();
    await takenIn(86_400);
    await eventually(() => expect(brief.closed).to.equal(true));
    await eventually(async () => expect(await oldWorkers()).to.equal(1));
    expect(long.closed).to.equal(false);
    long.destroy();
    await eventually(async () => expect(await oldWorkers()).to.equal(0));
  });

  it('is killed and finds its HAProxy again, which it does not disturb', async () => {
    const pid = await lab.workerPid();
    const reloads = await lab.reloads();
    await underLoad(async () => {
      await lab.edge.end('SIGKILL');
      lab.startEdgeAgain();
      await lab.edge.says('Serving');
      const added = await lab.addNode(4);
      await answeredBy([...nodes, added]);
      await lab.deleteNode(4);
      await answeredBy(nodes);
    });
    expect(await lab.workerPid()).to.equal(pid);
    expect(await lab.reloads()).to.equal(reloads);
  });

  it('starts HAProxy again when that is killed, with what it served, though the API server is away', async () => {
    lab.relay.become('failing');
    await lab.edge.end('SIGKILL');
    await lab.killHaproxy();
    lab.startEdgeAgain();
    await answeredBy(nodes);
    lab.relay.become('passing');
    await lab.edge.says('Serving');
    await answeredBy(nodes);
  });

  it('serves on while the API server is away, and catches up', async () => {
    await underLoad(async () => {
      lab.relay.become('failing');
      const added = await lab.addNode(5);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      lab.relay.become('passing');
      await answeredBy([...nodes, added]);
      await lab.deleteNode(5);
      await answeredBy(nodes);
    });
  });

  for (const version of ['V1', 'V2'] as const) {
    it(`tells a target who its client is by the PROXY protocol ${version}`, async () => {
      const [node = ''] = nodes;
      const vip = '192.0.2.28';
      const target = await HeardTarget.start(node, 30_090);
      await lab.patchProvider({ proxyProtocol: version });
      try {
        const frontends = [{ protocol: 'TCP' as const, port: 80, nodePort: 30_090 }];
        await lab.addService('told', { address: vip, frontends });
        // Nobody listens at the other node's port.
        await eventually(async () => expect((await lab.reportOf('told')).targets?.healthy).to.equal(1));
        const client = await open(vip, 80, 'hello');
        const { localAddress = '', localPort = 0 } = client;
        const expected =
          version === 'V1'
            ? Buffer.from(`PROXY TCP4 ${localAddress} ${vip} ${localPort} 80\r\nhello`)
            : Buffer.concat([proxyV2(localAddress, localPort, vip, 80), Buffer.from('hello')]);
        await eventually(() =>
          expect(target.heard.map((each) => each.toString('hex'))).to.include(expected.toString('hex')),
        );
        client.destroy();
      } finally {
        await lab.deleteService('told');
        await lab.patchProvider({ proxyProtocol: 'None' });
        await target.stop();
      }
      await answeredBy(nodes);
    });
  }
});
