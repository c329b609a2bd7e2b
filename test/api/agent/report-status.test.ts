import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { ForwarderFacts } from '../../../agent/status/build-status.ts';
import { StatusReporter } from '../../../agent/status/report-status.ts';
import { NODE_FORWARDERS } from '../../../crds/resources.ts';
import { applyStatus } from '../../../kube/apply.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { findCondition } from '../../../kube/conditions.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { Node } from '../../../kube/objects.ts';
import { NODES } from '../../../kube/resources.ts';
import { eventually } from '../../support/eventually.ts';
import { WELL } from '../../support/forwarder-facts.ts';
import { sharedCluster } from '../support/cluster.ts';

const FACTS: ForwarderFacts = { ...WELL, version: '1.2.3', announced: [] };

describe('The NodeForwarder of a node whose agent has nothing new to tell', function () {
  this.timeout(120_000);
  let client: KubeClient;
  let node: Node;
  let nodeName: string;
  let reporter: StatusReporter;

  before(async function () {
    this.timeout(600_000);
    client = (await sharedCluster()).adminClient();
  });
  beforeEach(async () => {
    nodeName = `report-${randomBytes(4).toString('hex')}`;
    node = await client.create(NODES, { metadata: { name: nodeName } });
    reporter = new StatusReporter({
      client,
      nodeName,
      node: () => node,
      facts: () => FACTS,
      log: silentLogger,
      settleMs: 0,
      lookMs: 200,
    });
    reporter.touch();
    await untilTold();
  });
  afterEach(async () => {
    await reporter.stop();
    await client.delete(NODE_FORWARDERS, undefined, nodeName);
    await client.delete(NODES, undefined, nodeName);
  });

  const untilTold = () =>
    eventually(async () => {
      const found = await client.get(NODE_FORWARDERS, undefined, nodeName);
      expect(found.metadata.ownerReferences?.map(({ uid }) => uid)).to.deep.equal([node.metadata.uid]);
      expect(found.status).to.include({ version: '1.2.3', services: 2, announcedCount: 0 });
      expect(findCondition(found.status?.conditions, 'Ready')).to.include({
        status: 'True',
        reason: 'Programmed',
      });
      return found;
    });

  it('is made again when somebody deletes it', async () => {
    await client.delete(NODE_FORWARDERS, undefined, nodeName);

    await untilTold();
  });

  it('says again what the agent found, when the operator had taken it for dead', async () => {
    const Ready = {
      type: 'Ready',
      status: 'Unknown',
      reason: 'AgentSilent',
      message: 'Nothing is heard.',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const metadata = { name: nodeName };
    const status = { conditions: [Ready] };
    await applyStatus(client, NODE_FORWARDERS, { metadata, status }, { fieldManager: 'fairlead-operator' });

    const found = await untilTold();
    expect(findCondition(found.status?.conditions, 'Ready')?.lastTransitionTime).not.to.equal(
      Ready.lastTransitionTime,
    );
  });

  it('is of its Node again when it was made by hand', async () => {
    await client.patch(
      NODE_FORWARDERS,
      undefined,
      nodeName,
      { metadata: { ownerReferences: null } },
      { contentType: 'merge' },
    );

    await untilTold();
  });

  it('is not written while it says what it should', async () => {
    const versionOf = async () => (await untilTold()).metadata.resourceVersion;
    const before = await versionOf();
    await new Promise((resolve) => setTimeout(resolve, 1_000));

    expect(await versionOf()).to.equal(before);
  });
});
