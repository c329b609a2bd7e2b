import { expect } from 'chai';
import { AnnounceLab, machineNow, until } from './support/announce-lab.ts';

const V4 = '198.18.0.200';
const V6 = 'fd00:198::200';

describe('announcing on three nodes', function () {
  this.timeout(60_000);
  let lab: AnnounceLab;

  before(async function () {
    this.timeout(600_000);
    lab = await AnnounceLab.start();
  });
  afterEach(() => lab.reset());
  after(() => lab.stop());

  it('one node answers ARP and neighbour solicitations, soon after the claim', async () => {
    const watch = lab.watch([V4, V6], 10);
    for (const name of lab.nodes.keys()) lab.startAgent(name);
    await new Promise((resolve) => setTimeout(resolve, 2000));

    const claimedAt = machineNow();
    await lab.createLoadBalancer('web', [V4, V6]);
    const first4 = await watch.untilAnswer(V4, claimedAt, 5000);
    const first6 = await watch.untilAnswer(V6, claimedAt, 5000);
    await new Promise((resolve) => setTimeout(resolve, 3000));

    console.log(first4.at - claimedAt, first6.at - claimedAt, watch.owners(V4, claimedAt).map((m) => lab.nodeOf(m)), watch.owners(V6, claimedAt).map((m) => lab.nodeOf(m)));
    expect(watch.owners(V4, claimedAt)).to.have.length(1);
    console.log(watch.sightings.filter((s) => s.kind.startsWith('ann')).slice(0,10));
  });
});
