import { expect } from 'chai';
import { eventually } from '../../support/eventually.ts';
import { run } from '../support/run.ts';
import { DRAIN_SECONDS, EdgeLab } from './support/edge-lab.ts';
import { ask, Load } from './support/traffic.ts';

const VIP = '192.0.2.10';

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

  before(async () => {
    lab = await EdgeLab.start('edge');
    nodes = [await lab.addNode(1), await lab.addNode(2)];
    await lab.addService('web', { address: VIP });
    await lab.healthyTargets('web', 2);
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

  it('takes nodes in and out with no reload and no failed request', async () => {
    const reloads = await lab.reloads();
    await underLoad(async () => {
      const more: string[] = [];
      for (let host = 11; host <= 30; host++) more.push(await lab.addNode(host));
      await lab.healthyTargets('web', 22);
      await answeredBy([...nodes, ...more]);
      for (let host = 11; host <= 30; host++) await lab.deleteNode(host);
      await answeredBy(nodes);
      await lab.healthyTargets('web', 2);
    });
    expect(await lab.reloads()).to.equal(reloads);
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

  it('makes other Services come and go with at most one reload a second and no failed request', async () => {
    const reloads = await lab.reloads();
    const startedAt = performance.now();
    await underLoad(async () => {
      for (let index = 1; index <= 30; index++) {
        await lab.addService(`other-${index}`, { address: `192.0.2.${100 + index}` });
      }
      await lab.healthyTargets('other-30', 2);
      for (let index = 1; index <= 30; index++) await lab.deleteService(`other-${index}`);
      await eventually(async () => {
        const asked = await ask('192.0.2.130', 80).then(
          () => 'served',
          () => 'refused',
        );
        expect(asked).to.equal('refused');
      });
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const made = (await lab.reloads()) - reloads;
    expect(made).to.be.greaterThan(0);
    expect(made).to.be.lessThan(seconds + 1);
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

  it('refuses who is in no source range', async () => {
    await lab.addService('fenced', { address: '192.0.2.22', sourceRanges: ['203.0.113.0/24'] });
    await lab.healthyTargets('fenced', 2);
    const asked = await ask('192.0.2.22', 80).then(
      () => 'served',
      () => 'refused',
    );
    expect(asked).to.equal('refused');
  });

  it('sends a client to one node with session affinity, through a reload too', async () => {
    await lab.addService('sticky', { address: '192.0.2.23', sessionAffinitySeconds: 60 });
    await lab.healthyTargets('sticky', 2);
    const first = await ask('192.0.2.23', 80);
    const reloads = await lab.reloads();
    await lab.addService('next', { address: '192.0.2.24' });
    await lab.healthyTargets('next', 2);
    expect(await lab.reloads()).to.be.greaterThan(reloads);
    for (let index = 0; index < 10; index++) expect(await ask('192.0.2.23', 80)).to.equal(first);
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
});
