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

  describe('looks at the kernel', () => {
    let parts: ReturnType<typeof setUp>;

    beforeEach(async () => {
      parts = setUp();
      parts.applier.start();
      await parts.applier.settled();
    });

    afterEach(async () => {
      await parts.applier.stop();
    });

    it('give way to a change until they have read', async () => {
      const { applier, change } = parts;
      const looked = applier.aside(async ({ signal }) => {
        change();
        return signal.aborted;
      });
      expect(await looked).to.equal(undefined);
    });

    it('go on beside changes once they have read, and know what there was before them', async () => {
      const { applier, kernel, change } = parts;
      change();
      await applier.settled();
      const before = kernel.taken.length;
      const looked = await applier.aside(async ({ signal, hasRead }) => {
        const snapshot = applier.model.takeSnapshot();
        hasRead();
        change();
        await applier.settled();
        const known = snapshot.ids.map((id) => snapshot.get(id)?.key);
        return { known, aborted: signal.aborted, taken: kernel.taken.length };
      });
      expect(looked).to.deep.equal({ known: ['10.96.0.1 . tcp . 1'], aborted: false, taken: before + 1 });
      expect(applier.model.get('ip services 10.96.0.1 . tcp . 1')).to.equal(undefined);
    });

    it('that insist have changes wait until they have read, and no longer', async () => {
      const { applier, kernel, change } = parts;
      const before = kernel.taken.length;
      const looked = await applier.insist(async ({ hasRead }) => {
        change();
        await new Promise((resolve) => setTimeout(resolve, 20));
        const held = kernel.taken.length;
        hasRead();
        await applier.settled();
        return { held, after: kernel.taken.length };
      }, 60_000);
      expect(looked).to.deep.equal({ held: before, after: before + 1 });
    });

    it('that insist are ended when reading takes too long', async () => {
      const { applier, kernel, change } = parts;
      const before = kernel.taken.length;
      const looked = await applier.insist(async ({ signal }) => {
        change();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }, 5);
      await applier.settled();
      expect(looked).to.equal(undefined);
      expect(kernel.taken.length).to.equal(before + 1);
    });

    it('end when the agent stops', async () => {
      const { applier } = parts;
      const looked = applier.aside(async ({ signal, hasRead }) => {
        hasRead();
        void applier.stop();
        return signal.aborted;
      });
      expect(await looked).to.equal(undefined);
    });
  });
});

/** Each change puts another frontend in the place of the one before. */
function setUp() {
  const book = new RuleBook();
  const kernel = new FakeKernel();
  const applier = new Applier({ book, nft: kernel.nft, table: TABLE, log: silentLogger });
  let port = 0;
  const change = () => {
    const key = `10.96.0.1 . tcp . ${++port}`;
    book.put({ key: 'web', since: '' }, [
      { family: 'ip', place: 'services', key, treatment: 'pick', endpoints: ['10.0.0.1 . 8080'] },
    ]);
    applier.schedule();
  };
  return { kernel, applier, change };
}
