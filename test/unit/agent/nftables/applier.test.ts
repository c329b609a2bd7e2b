import { expect } from 'chai';
import { Applier } from '../../../../agent/nftables/applier.ts';
import { RuleBook } from '../../../../agent/nftables/rule-book.ts';
import { silentLogger } from '../../../../kube/log.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const TABLE = { clusterCidrs: [], serviceCidrs: [], markBit: 0x2000 };

describe('agent: turns at the kernel', () => {
  it('come to who looks for damage, and to the repair, though changes never end', async () => {
    const book = new RuleBook();
    const kernel = new FakeKernel();
    let turn = 0;
    let ended = false;
    const change = () => {
      if (ended) return;
      const key = `10.96.0.1 . tcp . ${(turn++ % 100) + 1}`;
      book.put({ key: 'busy', since: '' }, [
        { family: 'ip', place: 'services', key, treatment: 'pick', endpoints: ['10.0.0.1 . 8080'] },
      ]);
      applier.schedule();
    };
    const applier = new Applier({
      book,
      nft: kernel.nft,
      table: TABLE,
      log: silentLogger,
      // While one is written, the next one comes.
      onTaken: () => queueMicrotask(change),
    });
    change();
    applier.start();
    while (kernel.taken.length < 5) await new Promise((resolve) => setTimeout(resolve, 5));

    const looked = await applier.exclusively(async () => kernel.taken.length);
    const written = applier.ruleWrites;
    await applier.writeAgain('rules');

    expect(looked).to.be.greaterThan(4);
    expect(applier.ruleWrites).to.equal(written + 1);
    ended = true;
    await applier.settled();
    await applier.stop();
  });
});
