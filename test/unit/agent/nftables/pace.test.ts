import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Applier } from '../../../../agent/nftables/applier.ts';
import { RuleBook } from '../../../../agent/nftables/rule-book.ts';
import { silentLogger } from '../../../../kube/log.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const TABLE = { clusterCidrs: [], serviceCidrs: [], markBit: 0x2000 };

describe('agent: the pace of transactions', () => {
  it('gathers changes that do not end, and ends with all of them in the kernel', async () => {
    const book = new RuleBook();
    const kernel = new FakeKernel();
    const applier = new Applier({ book, nft: kernel.nft, table: TABLE, log: silentLogger });
    applier.start();
    await applier.settled();
    const startedAt = performance.now();
    const before = kernel.taken.length;

    for (let change = 1; change <= 200; change++) {
      book.put({ key: 'a', since: '' }, [
        {
          family: 'ip',
          place: 'services',
          key: '10.96.0.1 . tcp . 80',
          treatment: 'pick',
          endpoints: [`10.0.0.${change} . 8080`],
        },
      ]);
      applier.schedule();
      await sleep(2);
    }
    await applier.settled();

    const seconds = (performance.now() - startedAt) / 1000;
    // Five at once, and 20 a second.
    expect(kernel.taken.length - before).to.be.lessThan(5 + 20 * seconds + 2);
    expect(kernel.meaning().get('ip services 10.96.0.1 . tcp . 80')).to.equal('pick: 10.0.0.200 . 8080');
    await applier.stop();
  });
});
