import { expect } from 'chai';
import { removeTables } from '../../../agent/clean-up.ts';
import { Committer } from '../../../agent/nftables/committer.ts';
import { compileService } from '../../../agent/nftables/compile-service.ts';
import { readTable } from '../../../agent/nftables/read-rules.ts';
import { RuleBook } from '../../../agent/nftables/rule-book.ts';
import { createNft } from '../../../agent/nftables/run-nft.ts';
import { silentLogger } from '../../../kube/log.ts';
import { clusterIpsOf, sketchService } from '../support/cluster-objects.ts';
import { type ForwardingLab, NODES, PODS } from '../support/forwarding-lab.ts';
import { sharedLab } from '../support/shared-lab.ts';

const [NODE_1] = NODES;
const [FIRST, SECOND] = PODS;
if (!NODE_1 || !FIRST || !SECOND) throw new Error('the lab is too small');

/** On node-1, whose own agent is stopped for it; its two pods and itself are the clients. */
describe('agent: session affinity with room for two clients', function () {
  this.timeout(60_000);
  const nft = createNft(['ip', 'netns', 'exec', NODE_1.name]);
  const web = sketchService({ name: 'web', host: 60 });
  let lab: ForwardingLab;

  const overflow = async () => (await readTable(nft, 'ip', 0)).overflow;
  /** Who serves twelve connections in turn. */
  const servers = async (station: string) => {
    const names = new Set<string>();
    for (let count = 0; count < 12; count++) {
      const outcome = await lab.station(station).dial('tcp', clusterIpsOf(60)[0], 80, 5_000);
      names.add(outcome.result === 'served' ? outcome.by : outcome.result);
    }
    return [...names];
  };

  before(async () => {
    lab = await sharedLab();
    await lab.agents[0]?.stop();
    await removeTables(nft);
    const book = new RuleBook();
    const service = { ...web.service, spec: { ...web.service.spec, sessionAffinity: 'ClientIP' as const } };
    const context = { nodeName: NODE_1.name, addresses: [], serve: 'All' as const, externalIps: [] };
    const { entries } = compileService({ service, slices: web.slices, loadBalancers: [] }, context);
    book.put({ key: 'default/web', since: '' }, entries);
    const table = { clusterCidrs: [], serviceCidrs: [], markBit: 0x2000, remembered: 2 };
    await new Committer({ book, nft, table, log: silentLogger }).commit();
  });

  after(async () => {
    await removeTables(nft);
    await lab.agents[0]?.restart({ services: [], slices: [] });
  });

  it('remembers two, serves the third all the same, and counts it', async () => {
    expect(await servers(FIRST.name)).to.have.length(1);
    expect(await servers(SECOND.name)).to.have.length(1);
    expect(await overflow()).to.equal(0);

    const third = await servers(NODE_1.name);
    expect(third).not.to.include('timeout');
    expect(third).not.to.include('refused');
    expect(third.length).to.be.greaterThan(1);
    expect(await overflow()).to.equal(12);

    expect(await servers(FIRST.name), 'who is remembered stays so').to.have.length(1);
    expect(await overflow()).to.equal(12);
  });
});
