import { expect } from 'chai';
import { NODE_FORWARDERS } from '../../../crds/resources.ts';
import { applyStatus } from '../../../kube/apply.ts';
import { findCondition } from '../../../kube/conditions.ts';
import type { Condition } from '../../../kube/objects.ts';
import { LEASES } from '../../../kube/resources.ts';
import { eventually, sleep } from '../../support/eventually.ts';
import { sharedCluster } from '../support/cluster.ts';
import { Fixture } from './support/objects.ts';
import { startTestOperator, type TestOperator } from './support/test-operator.ts';

const READY: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Programmed',
  message: 'The kernel forwards what the cluster says.',
  lastTransitionTime: '2026-01-01T00:00:00.000Z',
};

describe('operator: the NodeForwarder of an agent', function () {
  this.timeout(120_000);
  let fixture: Fixture;
  let operator: TestOperator;

  beforeEach(async () => {
    fixture = await Fixture.create(await sharedCluster());
    for (const node of nodes()) {
      await fixture.make(NODE_FORWARDERS, { metadata: { name: node }, spec: { nodeName: node } });
      await report(node);
    }
    await fixture.liveAgent(nodes()[0]);
    await fixture.liveAgent(nodes()[1]);
    const agentsNamespace = fixture.namespace;
    operator = await startTestOperator(fixture.cluster, { agentsNamespace, silentAgentMs: 1_000 });
  });
  afterEach(async () => {
    await operator.stop();
    await fixture.clean();
  });

  /** The first two have a Lease; the third never had one. */
  const nodes = () => ['a', 'b', 'c'].map((each) => `${each}-${fixture.id}`);
  /** As the agent writes it. */
  const report = async (name: string) =>
    await applyStatus(
      fixture.client,
      NODE_FORWARDERS,
      { metadata: { name }, status: { version: '1', announcedCount: 1, conditions: [READY] } },
      { fieldManager: 'fairlead-agent' },
    );
  const statusOf = async (node = '') =>
    (await fixture.client.get(NODE_FORWARDERS, undefined, node)).status ?? {};
  const readyOf = async (node = '') => findCondition((await statusOf(node)).conditions, 'Ready');
  const untilSilent = (node = '') =>
    eventually(async () =>
      expect(await readyOf(node)).to.include({ status: 'Unknown', reason: 'AgentSilent' }),
    );

  /** A last sign of life, and none after it. */
  const expire = (node = '') =>
    fixture.client.patch(
      LEASES,
      fixture.namespace,
      `fairlead-agent-${node}`,
      { spec: { leaseDurationSeconds: 1, renewTime: '2026-01-01T00:00:00.000000Z' } },
      { contentType: 'merge' },
    );

  it('is Ready no more once its Lease expires or is gone; those that live, or never had one, are left alone', async () => {
    const [killed, live, other] = nodes();
    await expire(killed);
    await untilSilent(killed);

    const { message, lastTransitionTime } = (await readyOf(killed)) ?? READY;
    expect(message).to.contain('Lease').and.to.contain('stay');
    expect(lastTransitionTime).not.to.equal(READY.lastTransitionTime);
    expect(await statusOf(killed)).to.include({ version: '1', announcedCount: 1 });
    expect([await readyOf(live), await readyOf(other)]).to.deep.equal([READY, READY]);

    await fixture.client.delete(LEASES, fixture.namespace, `fairlead-agent-${live}`);
    await untilSilent(live);
    expect(await readyOf(other)).to.deep.equal(READY);
  });

  it('is Ready when the agent lives and says so again, and stays so', async () => {
    const [node = ''] = nodes();
    await expire(node);
    await untilSilent(node);
    const alive = { spec: { leaseDurationSeconds: 3600, renewTime: '2026-01-02T00:00:00.000000Z' } };
    const name = `fairlead-agent-${node}`;
    await fixture.client.patch(LEASES, fixture.namespace, name, alive, { contentType: 'merge' });

    // The operator may hear of the Lease after the agent has spoken; the agent looks again.
    await eventually(async () => {
      await report(node);
      const end = performance.now() + 2_000;
      while (performance.now() < end) {
        expect(await readyOf(node)).to.deep.equal(READY);
        await sleep(100);
      }
    });
  });
});
