import { expect } from 'chai';
import { removeTables } from '../../../agent/clean-up.ts';
import { Committer } from '../../../agent/nftables/committer.ts';
import { RuleBook } from '../../../agent/nftables/rule-book.ts';
import { createNft } from '../../../agent/nftables/run-nft.ts';
import { silentLogger } from '../../../kube/log.ts';
import type { Service } from '../../../kube/objects.ts';
import { clusterIpsOf, merge, sketchService } from '../support/cluster-objects.ts';
import { type ForwardingLab, NODES, NodeAgent, PODS } from '../support/forwarding-lab.ts';
import { byOf, unserved } from '../support/judge-outcomes.ts';
import { run } from '../support/run.ts';
import { sharedLab } from '../support/shared-lab.ts';

const [POD_1, , POD_2, POD_3] = PODS;
const NODE_3 = NODES[2];
if (!POD_1 || !POD_2 || !POD_3 || !NODE_3) throw new Error('the lab is too small');

const CLUSTER_IP = clusterIpsOf(70)[0];
const FOREIGN = `
table ip kube-proxy {
  map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
  chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
  chain nat-prerouting { type nat hook prerouting priority dstnat; policy accept; jump services; }
}
table inet filter {
  counter seen { packets 0 bytes 0; }
  chain input { type filter hook input priority filter; policy accept; tcp dport 22 accept; }
}
`;

/** On node-3, where one of the pods is the caller. */
describe('agent on the real kernel: its life', function () {
  this.timeout(120_000);
  let lab: ForwardingLab;
  let agent: NodeAgent;
  const nft = createNft(['ip', 'netns', 'exec', NODE_3.name]);
  const web = sketchService({ name: 'web', host: 70, pods: [POD_1, POD_2] });
  const objects = merge(web, sketchService({ name: 'other', host: 71 }));

  const list = (...what: string[]) => nft({ args: ['list', ...what] });
  const ownTables = async () =>
    (await list('table', 'ip', 'fairlead')) + (await list('table', 'ip6', 'fairlead'));
  const dial = () => lab.station(POD_3.name).dial('tcp', CLUSTER_IP, 80, 5_000);

  before(async () => {
    lab = await sharedLab();
    await lab.become(objects);
    const shared = lab.agents[2];
    if (shared === undefined) throw new Error('there is no third agent');
    agent = shared;
    // Of what others did there some chains may be left, to be deleted at any moment.
    await removeTables(nft);
    await agent.restart(objects);
  });

  afterEach(async () => {
    await agent.restart(objects);
  });

  it('is killed and started again without one failed connection, and ends with the same rules', async () => {
    const before = await ownTables();

    const outcomes = await lab
      .station(POD_3.name)
      .dialWhile({ transport: 'tcp', address: CLUSTER_IP, port: 80 }, 5, async () => {
        for (let restart = 0; restart < 20; restart++) await agent.restart(objects);
      });

    expect(unserved(outcomes)).to.deep.equal([]);
    expect(outcomes.length).to.be.greaterThan(50);
    expect(await ownTables()).to.equal(before);
  });

  it('takes over what happened while it was away', async () => {
    await agent.restart(merge(sketchService({ name: 'web', host: 70, pods: [POD_2] })));

    const outcomes = await lab
      .station(POD_3.name)
      .dialAll(Array(20).fill({ transport: 'tcp', address: CLUSTER_IP, port: 80 }));
    expect(byOf(outcomes)).to.deep.equal([POD_2.name]);
    expect((await lab.station(POD_3.name).dial('tcp', clusterIpsOf(71)[0], 80, 500)).result).to.equal(
      'timeout',
    );
  });

  it('leaves the rules in force when it stops', async () => {
    await agent.stop();
    expect((await dial()).result).to.equal('served');
  });

  it('serves beside foreign tables, and never changes a byte of them', async () => {
    await nft({ args: ['-f', '-'], input: FOREIGN });
    const foreign = async () =>
      (await list('table', 'ip', 'kube-proxy')) + (await list('table', 'inet', 'filter'));
    const before = await foreign();

    await agent.restart(objects);
    await agent.become(merge(web));
    await agent.become(objects);
    expect((await dial()).result).to.equal('served');
    await removeTables(nft);

    expect(await foreign()).to.equal(before);
    await nft({ args: ['delete', 'table', 'ip', 'kube-proxy'] });
    await nft({ args: ['delete', 'table', 'inet', 'filter'] });
  });

  it('is cleaned up to the last rule, and once more without a complaint', async () => {
    await removeTables(nft);
    await removeTables(nft);
    expect(await list('ruleset')).to.equal('');
  });

  it('replaces the table of another version, whatever is in it', async () => {
    await removeTables(nft);
    const old = `table ip fairlead {
      map services { type ipv4_addr : verdict; }
      chain nat-prerouting { type nat hook prerouting priority -105; policy accept; drop; }
      chain leftover { drop; }
    }`;
    await nft({ args: ['-f', '-'], input: old });

    await agent.restart(objects);

    expect((await dial()).result).to.equal('served');
    expect(await list('chains')).not.to.include('leftover');
  });

  it('leaves out a Service that no API server would let through, names it, and serves all others', async () => {
    const bad: Service = {
      ...web.service,
      metadata: { ...web.service.metadata, name: 'bad', uid: 'uid-bad' },
      spec: { ...web.service.spec, clusterIPs: ['10.96.0.72'], externalIPs: ['; flush ruleset'] },
    };
    await agent.become({ ...objects, services: [...objects.services, bad] });

    expect([...agent.forwarding.leftOut().keys()]).to.deep.equal(['default/bad']);
    expect((await dial()).result).to.equal('served');
  });

  it('leaves out what nft or the kernel refuse, at the start and later, and commits everything else', async () => {
    const book = new RuleBook();
    const refused: string[] = [];
    const committer = new Committer({
      book,
      nft,
      table: { clusterCidrs: [], serviceCidrs: [], markBit: 1 },
      log: silentLogger,
      onRefused: (owner) => refused.push(owner),
    });
    const put = (name: string, key: string) =>
      book.put({ key: name, since: '' }, [
        { family: 'ip', place: 'services', key, treatment: 'pick', endpoints: ['10.0.0.1 . 80'] },
      ]);
    const commitAll = async () => {
      while (committer.isDue) await committer.commit();
    };
    for (let host = 0; host < 250; host++) put(`default/s${host}`, `10.98.0.${host} . tcp . 80`);
    put('default/bad', '10.98.0.256 . tcp . 80');
    await commitAll();
    expect(refused).to.deep.equal(['default/bad']);

    put('default/worse', '10.98.1.1 . quic . 80');
    put('default/good', '10.98.1.2 . tcp . 80');
    await commitAll();

    expect(refused).to.deep.equal(['default/bad', 'default/worse']);
    const services = await list('map', 'ip', 'fairlead', 'services');
    expect(services.match(/goto pick-1/g)).to.have.length(251);
    expect(services).to.include('10.98.1.2 . tcp . 80');
  });

  it('deletes chains of endpoint counts that are gone', async () => {
    const audited = new NodeAgent(NODE_3, { auditMs: 20 });
    await agent.stop();
    await audited.start();
    await audited.become(merge(sketchService({ name: 'web', host: 70, pods: PODS })));
    expect(await list('chains')).to.include('chain pick-4');

    await audited.become(merge(sketchService({ name: 'web', host: 70, pods: [POD_1] })));

    const deadline = Date.now() + 30_000;
    while ((await list('chains')).includes('chain pick-4') && Date.now() < deadline)
      await run('sleep', '0.05');
    expect(await list('chains')).not.to.include('chain pick-4');
    expect((await dial()).result).to.equal('served');
    await audited.stop();
  });
});
