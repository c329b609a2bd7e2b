import { expect } from 'chai';
import type { KubeClient } from '../../../kube/client.ts';
import type { KubeObject, Lease } from '../../../kube/objects.ts';
import { LEASES, resource } from '../../../kube/resources.ts';
import type { ControlPlane } from '../../controlplane/control-plane.ts';
import { Fixture } from '../operator/support/objects.ts';
import { freshNamespace, sharedCluster } from '../support/cluster.ts';
import { eventually } from './eventually.ts';
import { OperatorProcess } from './operator-process.ts';

const LEASE = 'fairlead-operator';
const NAMESPACES = resource<KubeObject>('', 'v1', 'namespaces', 'Namespace', false);

describe('operator/main', function () {
  this.timeout(120_000);
  let cluster: ControlPlane;
  let client: KubeClient;
  let namespace: string;
  let processes: OperatorProcess[] = [];

  before(async function () {
    this.timeout(180_000);
    cluster = await sharedCluster();
    client = cluster.adminClient();
  });
  beforeEach(async () => {
    namespace = await freshNamespace(cluster);
  });
  afterEach(async () => {
    await Promise.all(processes.map((one) => one.kill()));
    processes = [];
  });

  async function start(args: string[] = [], kubeconfig = cluster.kubeconfig): Promise<OperatorProcess> {
    const started = await OperatorProcess.start({ kubeconfig, namespace, args });
    processes.push(started);
    return started;
  }

  function lease(): Promise<Lease> {
    return client.get(LEASES, namespace, LEASE);
  }

  async function untilReady(one: OperatorProcess): Promise<void> {
    await eventually(() => expect(one.has('Ready')).to.equal(true), 30_000);
  }

  it('leads, becomes ready, and shows its health and metrics', async () => {
    const one = await start();
    await untilReady(one);

    expect(await one.get('/healthz')).to.include({ status: 200 });
    expect(await one.get('/readyz')).to.include({ status: 200 });
    const { body } = await one.get('/metrics');
    expect(body).to.contain('fairlead_leading 1');
    expect(body).to.match(/fairlead_queue_depth\{kind="Service"\} \d/);
    const { uid } = (await client.get(NAMESPACES, undefined, 'kube-system')).metadata;
    expect(one.lines.find((line) => line.event === 'Ready')?.clusterId).to.equal(uid);
  });

  it('gives out addresses with no more rights than config/rbac grants', async () => {
    for (const folder of ['config/namespace', 'config/rbac']) await cluster.kubectl(['apply', '-k', folder]);
    namespace = 'fairlead-system';
    const kubeconfig = await cluster.serviceAccountKubeconfig(namespace, 'fairlead-operator');
    const one = await start(['--cluster-id=c'], kubeconfig);
    await untilReady(one);
    const fixture = await Fixture.create(cluster);
    try {
      await fixture.provider();
      const pool = await fixture.pool(['192.0.2.0/28']);
      await fixture.service('s');

      await eventually(async () => {
        const { spec } = await fixture.getLoadBalancer('s');
        expect(spec.addresses).to.deep.equal([{ address: '192.0.2.0', family: 'IPv4', pool }]);
      });
      await eventually(async () => {
        const { body } = await one.get('/metrics');
        expect(body).to.contain(`fairlead_allocations_total{resource="address",pool="${pool}"} 1`);
        expect(body).to.match(
          /fairlead_provider_calls_total\{provider="announce",call="observe",result="ok"\} \d/,
        );
        expect(body).to.match(/fairlead_reconcile_duration_seconds_count\{kind="Service",result="done"\} \d/);
      });
      expect(one.lines.filter((line) => JSON.stringify(line).includes('orbidden'))).to.deep.equal([]);
    } finally {
      await fixture.clean();
    }
  });

  it('gives the Lease away when told to end, and ends with 0', async () => {
    const one = await start(['--cluster-id=c']);
    await untilReady(one);

    one.signal('SIGTERM');

    expect(await one.exited).to.equal(0);
    expect((await lease()).spec?.holderIdentity).to.equal('');
    expect(one.lines.at(-1)?.event).to.equal('Stopped');
  });

  it('stands by, ready, while another leads, and takes over at once when that one ends', async () => {
    const leader = await start();
    await untilReady(leader);
    const standby = await start();
    await eventually(async () => expect(await standby.get('/readyz')).to.include({ status: 200 }), 20_000);
    const readyBefore = standby.has('Ready');
    const { body } = await standby.get('/metrics');

    leader.signal('SIGTERM');
    await leader.exited;

    // Waiting the Lease out would take 15 s.
    await eventually(() => expect(standby.has('Ready')).to.equal(true), 12_000);
    expect(readyBefore).to.equal(false);
    expect(body).to.contain('fairlead_leading 0');
  });

  it('ends with 1 when the Lease is taken from it', async () => {
    const one = await start();
    await untilReady(one);

    const spec = { holderIdentity: 'usurper', leaseDurationSeconds: 3600 };
    await client.patch(LEASES, namespace, LEASE, { spec }, { contentType: 'merge' });

    expect(await one.exited).to.equal(1);
    expect(one.has('LeadershipLost')).to.equal(true);
    expect((await lease()).spec?.holderIdentity).to.equal('usurper');
  });

  it('ends with 2 and says what is wrong with its configuration', async () => {
    const one = await start(['--renew-deadline-seconds=60']);

    expect(await one.exited).to.equal(2);
    expect(one.lines).to.deep.equal([]);
  });

  it('ends with 1 and one line when there is no way to the API server', async () => {
    const one = await start([], '/does/not/exist');

    expect(await one.exited).to.equal(1);
    expect(one.lines.map((line) => line.event)).to.deep.equal(['StartFailed']);
  });

  it('ends at once when told to while it stands by', async () => {
    const leader = await start();
    await untilReady(leader);
    const standby = await start();
    await eventually(() => expect(standby.has('Started')).to.equal(true), 20_000);

    standby.signal('SIGTERM');

    expect(await standby.exited).to.equal(0);
    expect((await lease()).spec?.holderIdentity).not.to.equal('');
  });
});
