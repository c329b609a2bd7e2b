import { expect } from 'chai';
import { Committer } from '../../../agent/nftables/committer.ts';
import type { Frontend } from '../../../agent/nftables/model.ts';
import { RuleBook } from '../../../agent/nftables/rule-book.ts';
import { createNft, type Nft } from '../../../agent/nftables/run-nft.ts';
import { silentLogger } from '../../../kube/log.ts';
import { run } from '../support/run.ts';
import { clusterIpAt } from './support/synthetic-cluster.ts';

const NETNS = 'refusing';
const SERVICES = 5_000;
const SHARED_RANGES = ['10.0.0.0/33'];

type Bend = (good: Frontend) => Frontend;

/** What nft itself refuses: in elements, and in chains of any kind. */
const BENT: ReadonlyMap<string, Bend> = new Map<string, Bend>([
  ['an address', (good) => ({ ...good, key: good.key.replace(/^[\d.]+/, '10.96.0.256') })],
  ['a protocol', (good) => ({ ...good, key: good.key.replace('tcp', 'quic') })],
  ['an endpoint', (good) => ({ ...good, endpoints: ['10.244.0.1 . 70000'] })],
  ['source ranges', (good) => ({ ...good, ranges: SHARED_RANGES })],
  ['the same source ranges', (good) => ({ ...good, ranges: SHARED_RANGES })],
  ['an endpoint with affinity', (good) => ({ ...good, sticky: stickyTo('10.244.0.300', 8080) })],
  ['a port with affinity', (good) => ({ ...good, sticky: stickyTo('10.244.0.1', 70_000) })],
  ['the time of affinity', (good) => ({ ...good, sticky: stickyTo('10.244.0.1', 8080, -5) })],
]);

function stickyTo(address: string, port: number, seconds = 60) {
  const id = `${address}-${port}-${seconds}`.replaceAll('.', '-');
  const member = { chain: `sticky-${id}`, id: '1.2.3.4 . 5.6.7.8', address, port, protocol: 'tcp', seconds };
  return { any: { chain: `affinity-${id}`, members: [member], parts: [] } };
}

function goodFrontend(index: number): Frontend {
  return {
    family: 'ip',
    place: 'services',
    key: `${clusterIpAt(index)} . tcp . 80`,
    treatment: 'pick',
    endpoints: ['10.244.0.1 . 8080', '10.244.0.2 . 8080'],
  };
}

describe('agent: what nft refuses', function () {
  this.timeout(120_000);
  const inside = createNft(['ip', 'netns', 'exec', NETNS]);
  let runs = 0;
  let refused: string[];
  let book: RuleBook;
  let committer: Committer;
  const nft: Nft = (options) => {
    runs++;
    return inside(options);
  };
  const put = (name: string, frontend: Frontend) => book.put({ key: name, since: '' }, [frontend]);
  const putBent = (start: number) => {
    for (const [index, [name, bend]] of [...BENT].entries()) put(name, bend(goodFrontend(start + index)));
  };
  const commitAll = async () => {
    while (committer.isDue) await committer.commit();
  };
  const served = async () => {
    const text = await inside({ args: ['list', 'map', 'ip', 'fairlead', 'services'] });
    return text.split('goto ').length - 1;
  };

  before(async () => {
    await run('ip', 'netns', 'add', NETNS);
  });

  after(async () => {
    await run('ip', 'netns', 'del', NETNS);
  });

  beforeEach(() => {
    runs = 0;
    refused = [];
    book = new RuleBook();
    committer = new Committer({
      book,
      nft,
      table: { clusterCidrs: ['10.244.0.0/16'], serviceCidrs: [], markBit: 0x2000 },
      log: silentLogger,
      onRefused: (owner) => refused.push(owner),
    });
    for (let index = 0; index < SERVICES; index++) put(`good-${index}`, goodFrontend(index));
  });

  it('is left out of the first load, one and all, while everything else is written', async () => {
    putBent(SERVICES);
    await commitAll();

    expect(refused.sort()).to.deep.equal([...BENT.keys()].sort());
    expect(await served()).to.equal(SERVICES);
    // Two times the logarithm for each, however many Services there are.
    expect(runs).to.be.lessThan(2 * Math.log2(SERVICES) * BENT.size + 10);
  });

  it('is left out of changes, which the rest of goes through', async () => {
    await commitAll();
    putBent(SERVICES);
    for (let index = 0; index < 100; index++) put(`late-${index}`, goodFrontend(SERVICES + 100 + index));
    await commitAll();

    expect(refused.sort()).to.deep.equal([...BENT.keys()].sort());
    expect(await served()).to.equal(SERVICES + 100);
  });

  it('keeps what a Service had, and takes the Service in as soon as it is mended', async () => {
    await commitAll();
    const bend = BENT.get('source ranges');
    if (bend === undefined) throw new Error('no such case');
    put('good-7', bend(goodFrontend(7)));
    await commitAll();
    expect([...committer.refused.keys()]).to.deep.equal(['good-7']);
    expect(await served()).to.equal(SERVICES);

    committer.forgive('good-7');
    put('good-7', { ...goodFrontend(7), ranges: ['10.0.0.0/8'] });
    await commitAll();
    expect(committer.refused.size).to.equal(0);
    expect(await inside({ args: ['list', 'map', 'ip', 'fairlead', 'firewall'] })).to.include(clusterIpAt(7));
  });

  it('is tried again now and then, a few at a time', async () => {
    await commitAll();
    for (let index = 0; index < 30; index++) {
      put(`bent-${index}`, {
        ...goodFrontend(SERVICES + index),
        endpoints: [`10.244.0.1 . ${70_000 + index}`],
      });
    }
    await commitAll();
    expect(committer.refused.size).to.equal(30);

    runs = 0;
    await committer.retryRefused();
    expect(runs).to.equal(10);
    expect(committer.refused.size).to.equal(30);
    expect(await served()).to.equal(SERVICES);
  });
});
