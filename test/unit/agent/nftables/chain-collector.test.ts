import { expect } from 'chai';
import { Applier } from '../../../../agent/nftables/applier.ts';
import type { Entry } from '../../../../agent/nftables/model.ts';
import { RuleBook } from '../../../../agent/nftables/rule-book.ts';
import { silentLogger } from '../../../../kube/log.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const TABLE = { clusterCidrs: [], serviceCidrs: [], markBit: 0x2000 };
const OWNER = { key: 'a', since: '' };

describe('agent: chains that nothing leads to any more', function () {
  this.timeout(60_000);
  let kernel: FakeKernel;
  let book: RuleBook;
  let applier: Applier;
  let busy: number;

  beforeEach(() => {
    kernel = new FakeKernel();
    book = new RuleBook();
    busy = 0;
    applier = new Applier({
      book,
      nft: kernel.nft,
      table: TABLE,
      log: silentLogger,
      onChainsBusy: () => {
        busy++;
      },
    });
    applier.start();
  });

  afterEach(() => applier.stop());

  /** A Service at 10.96.0.1 of so many endpoints, by a node port too. */
  const become = async (count: number) => {
    const endpoints = Array.from({ length: count }, (_, index) => `10.0.0.${index + 1} . 8080`);
    const entries: Entry[] = [
      { family: 'ip', place: 'services', key: '10.96.0.1 . tcp . 80', treatment: 'pick', endpoints },
      { family: 'ip', place: 'nodeports', key: 'tcp . 30001', treatment: 'external', endpoints },
    ];
    book.put(OWNER, entries);
    applier.schedule();
    await applier.settled();
  };
  const chains = () =>
    [...(kernel.tables.get('ip')?.chains.keys() ?? [])].filter((name) => /-\d+$/.test(name));
  const until = async (isSo: () => boolean) => {
    const deadline = Date.now() + 30_000;
    while (!isSo() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isSo()).to.equal(true);
  };
  const ofCount = (count: number) => [`pick-${count}`, `port-pick-${count}`, `external-port-pick-${count}`];
  const deletions = () => kernel.taken.filter((text) => text.startsWith('delete chain'));

  it('go soon, in transactions of their own, and come back when they are needed', async () => {
    await become(3);
    await become(1);
    await until(() => !chains().some((name) => name.endsWith('-3')));
    expect(chains()).to.have.members(ofCount(1));
    expect(deletions().join('')).not.to.include('add ');
    expect(deletions().join('')).not.to.include('element');

    await become(3);
    expect(kernel.meaning().get('ip nodeports tcp . 30001')).to.match(/^external: .*0\.3/);
  });

  it('stay while they are needed again before their turn', async () => {
    await become(3);
    await become(1);
    await become(3);
    await until(() => !chains().some((name) => name.endsWith('-1')));
    expect(chains()).to.have.members(ofCount(3));
    expect(busy).to.equal(0);
  });

  it('go while changes never end, so many that they never grow', async () => {
    let ended = false;
    let most = 0;
    const churn = (async () => {
      for (let round = 0; !ended; round++) {
        await become(1 + (round % 60));
        most = Math.max(most, chains().length);
      }
    })();
    await until(() => deletions().length >= 3);
    ended = true;
    await churn;
    expect(most).to.be.lessThan(3 * 60);
  });

  it('are tried again when the kernel calls them busy, and none stands in the way of the others', async () => {
    for (const count of [5, 4, 3, 2]) await become(count);
    kernel.minds = 'delete chain ip fairlead external-port-pick-4';
    await become(1);

    await until(() => busy > 0 && !chains().some((name) => /-[235]$/.test(name)));
    expect(chains()).to.include('external-port-pick-4');

    kernel.minds = undefined;
    await until(() => !chains().some((name) => name.endsWith('-4')));
    expect(chains()).to.have.members(ofCount(1));
  });
});
