import { expect } from 'chai';
import fc from 'fast-check';
import { Committer } from '../../../../agent/nftables/committer.ts';
import type { Entry } from '../../../../agent/nftables/model.ts';
import { RuleBook } from '../../../../agent/nftables/rule-book.ts';
import { NftError } from '../../../../agent/nftables/run-nft.ts';
import { silentLogger } from '../../../../kube/log.ts';
import { FakeKernel } from '../support/fake-kernel.ts';

const TABLE = { clusterCidrs: ['10.244.0.0/16'], serviceCidrs: ['10.96.0.0/16'], markBit: 0x2000 };

function setUp(kernel = new FakeKernel()) {
  const book = new RuleBook();
  const refused: string[] = [];
  const committer = new Committer({
    book,
    nft: kernel.nft,
    table: TABLE,
    log: silentLogger,
    onRefused: (owner) => refused.push(owner),
  });
  const commitAll = async () => {
    while (committer.isDue) await committer.commit();
  };
  return { book, committer, kernel, refused, commitAll };
}

/** A Service at 10.96.0.`host` with endpoints 10.0.0.x. */
function frontends(host: number, hosts: readonly number[], external = false): Entry[] {
  const endpoints = hosts.map((each) => `10.0.0.${each} . 8080`);
  const key = `10.96.0.${host} . tcp . 80`;
  return [
    { family: 'ip', place: 'cluster-ips', key: `10.96.0.${host}` },
    { family: 'ip', place: 'services', key, treatment: external ? 'external' : 'pick', endpoints },
    { family: 'ip', place: 'nodeports', key: `tcp . ${30000 + host}`, treatment: 'external', endpoints },
  ];
}

const owner = (key: string, since = '2026-01-01T00:00:00Z') => ({ key, since });
const linesOf = (text: string | undefined) => (text ?? '').split('\n').filter((line) => line !== '');

describe('agent: committing to the kernel', () => {
  it('writes everything in one transaction, and nothing when nothing changed', async () => {
    const { book, kernel, commitAll } = setUp();
    book.put(owner('a'), frontends(1, [1, 2]));
    book.put(owner('b'), frontends(2, [3], true));

    await commitAll();
    await commitAll();

    expect(kernel.taken).to.have.length(1);
    expect(kernel.meaning().get('ip services 10.96.0.1 . tcp . 80')).to.equal(
      'pick: 10.0.0.1 . 8080, 10.0.0.2 . 8080',
    );
    expect(kernel.meaning().get('ip services 10.96.0.2 . tcp . 80')).to.equal('external: 10.0.0.3 . 8080');
  });

  it('exchanges one endpoint by one deletion and one addition a map, and nothing else', async () => {
    const { book, kernel, commitAll } = setUp();
    book.put(owner('a'), frontends(1, [1, 2, 3]));
    await commitAll();

    book.put(owner('a'), frontends(1, [1, 3, 4]));
    await commitAll();

    expect(linesOf(kernel.taken[1])).to.have.members([
      'delete element ip fairlead service-endpoints { 10.96.0.1 . tcp . 80 . 1 }',
      'delete element ip fairlead nodeport-endpoints { tcp . 30001 . 1 }',
      'add element ip fairlead service-endpoints { 10.96.0.1 . tcp . 80 . 1 : 10.0.0.4 . 8080 }',
      'add element ip fairlead nodeport-endpoints { tcp . 30001 . 1 : 10.0.0.4 . 8080 }',
    ]);
  });

  it('adds the chain of a new endpoint count in the transaction that first needs it', async () => {
    const { book, kernel, commitAll } = setUp();
    book.put(owner('a'), frontends(1, [1, 2]));
    await commitAll();

    book.put(owner('a'), frontends(1, [1, 2, 3]));
    await commitAll();

    expect(kernel.taken).to.have.length(2);
    expect(linesOf(kernel.taken[1])).to.include('add chain ip fairlead pick-3');
    // Three protocols, and each again for what finds its slot gone.
    expect(kernel.tables.get('ip')?.chains.get('pick-3')).to.have.length(6);
  });

  it('throws nothing of a former agent into doubt: all of it goes in the moment of the first commit', async () => {
    const before = setUp();
    before.book.put(owner('gone'), frontends(9, [1, 2, 3, 4]));
    await before.commitAll();
    const { book, kernel, commitAll } = setUp(before.kernel);
    book.put(owner('a'), frontends(1, [1]));

    await commitAll();

    expect(kernel.taken).to.have.length(2);
    expect([...kernel.meaning().keys()].sort()).to.deep.equal([
      'ip cluster-ips 10.96.0.1',
      'ip nodeports tcp . 30001',
      'ip services 10.96.0.1 . tcp . 80',
    ]);
  });

  it('gives a frontend that two Services claim to the older, whatever the order, and to the other when it goes', async () => {
    for (const order of [
      ['old', 'new'],
      ['new', 'old'],
    ] as const) {
      const { book, kernel, commitAll } = setUp();
      const since = { old: '2026-01-01T00:00:00Z', new: '2026-01-02T00:00:00Z' };
      const hosts = { old: [1], new: [2] };
      for (const key of order) book.put(owner(key, since[key]), frontends(1, hosts[key]));
      await commitAll();

      expect(kernel.meaning().get('ip services 10.96.0.1 . tcp . 80')).to.equal('pick: 10.0.0.1 . 8080');
      expect(book.conflicts()).to.deep.equal([
        { id: 'ip nodeports tcp . 30001', winner: 'old', losers: ['new'] },
        { id: 'ip services 10.96.0.1 . tcp . 80', winner: 'old', losers: ['new'] },
      ]);

      book.remove('old');
      await commitAll();
      expect(kernel.meaning().get('ip services 10.96.0.1 . tcp . 80')).to.equal('pick: 10.0.0.2 . 8080');
      expect(book.conflicts()).to.deep.equal([]);
    }
  });

  describe('when the kernel refuses', () => {
    it('leaves out the one bad Service at the start, and applies all others at once', async () => {
      const { book, kernel, refused, commitAll } = setUp();
      for (let host = 1; host <= 100; host++) book.put(owner(`s${host}`), frontends(host, [host]));
      kernel.minds = '10.0.0.77 ';

      await commitAll();

      expect(refused).to.deep.equal(['s77']);
      expect(kernel.taken).to.have.length(1);
      expect(kernel.meaning().size).to.equal(99 * 3);
    });

    it('keeps what a Service had when its change is refused, applies the others, and takes it once it is mended', async () => {
      const { book, committer, kernel, refused, commitAll } = setUp();
      for (let host = 1; host <= 20; host++) book.put(owner(`s${host}`), frontends(host, [host]));
      await commitAll();
      kernel.minds = '10.0.0.99 ';
      book.put(owner('s7'), frontends(7, [99]));
      book.put(owner('s8'), frontends(8, [50]));

      await commitAll();

      expect(refused).to.deep.equal(['s7']);
      expect(kernel.meaning().get('ip services 10.96.0.7 . tcp . 80')).to.equal('pick: 10.0.0.7 . 8080');
      expect(kernel.meaning().get('ip services 10.96.0.8 . tcp . 80')).to.equal('pick: 10.0.0.50 . 8080');
      expect(kernel.runs.some(({ args, input }) => args[0] === '-f' && input.includes('flush map'))).to.equal(
        true,
      );
      expect(kernel.taken.slice(1).some((text) => text.includes('flush map'))).to.equal(false);

      committer.forgive('s7');
      book.put(owner('s7'), frontends(7, [51]));
      await commitAll();
      expect(kernel.meaning().get('ip services 10.96.0.7 . tcp . 80')).to.equal('pick: 10.0.0.51 . 8080');
      expect(committer.refused.size).to.equal(0);
    });

    it('tries a Service that is left out again, and takes it when the kernel does', async () => {
      const { book, committer, kernel, commitAll } = setUp();
      book.put(owner('a'), frontends(1, [1]));
      kernel.minds = '10.0.0.1 ';
      await commitAll();
      await committer.retryRefused();
      expect([...committer.refused.keys()]).to.deep.equal(['a']);

      kernel.minds = undefined;
      await committer.retryRefused();

      expect(committer.refused.size).to.equal(0);
      expect(kernel.meaning().size).to.equal(3);
    });

    it('writes everything anew when the kernel turns out to hold something else', async () => {
      const { book, kernel, refused, commitAll } = setUp();
      for (let host = 1; host <= 5; host++) book.put(owner(`s${host}`), frontends(host, [host]));
      await commitAll();
      kernel.tables.get('ip')?.holders.get('service-endpoints')?.delete('10.96.0.3 . tcp . 80 . 0');
      kernel.tables.get('ip')?.holders.get('services')?.delete('10.96.0.4 . tcp . 80');
      book.put(owner('s3'), frontends(3, [33]));

      await commitAll();

      expect(refused).to.deep.equal([]);
      expect(kernel.meaning().size).to.equal(15);
      expect(kernel.meaning().get('ip services 10.96.0.3 . tcp . 80')).to.equal('pick: 10.0.0.33 . 8080');
    });

    it('makes a table anew that is gone', async () => {
      const { book, kernel, commitAll } = setUp();
      book.put(owner('a'), frontends(1, [1]));
      await commitAll();
      kernel.tables.clear();
      book.put(owner('b'), frontends(2, [2]));

      await commitAll();

      expect(kernel.meaning().size).to.equal(6);
    });

    it('replaces a table of another layout that it can not write over, bad Service or not', async () => {
      const { book, kernel, refused } = setUp();
      book.put(owner('a'), frontends(1, [1]));
      book.put(owner('bad'), frontends(2, [99]));
      const real = kernel.nft;
      let replaced = false;
      const nft: typeof real = async (run) => {
        const replaces = run.input?.includes('delete table') === true;
        if (!replaced && !replaces) throw new NftError('Refused', 'map exists with another type');
        if (run.input?.includes('10.0.0.99 ')) throw new NftError('Refused', 'bad');
        const result = await real(run);
        if (replaces && run.args[0] !== '-c') replaced = true;
        return result;
      };
      const other = new Committer({
        book,
        nft,
        table: TABLE,
        log: silentLogger,
        onRefused: (key) => refused.push(key),
      });

      while (other.isDue) await other.commit();

      expect(refused).to.deep.equal(['bad']);
      expect(kernel.meaning().size).to.equal(3);
    });

    it('blames nobody when nft itself does not work, and writes everything once it does', async () => {
      const { book, committer, kernel, refused, commitAll } = setUp();
      book.put(owner('a'), frontends(1, [1]));
      kernel.down = new NftError('Unavailable', 'no nft');
      const failure = await committer.commit().then(
        () => undefined,
        (error: unknown) => error,
      );

      kernel.down = undefined;
      await commitAll();

      expect(failure).to.be.instanceOf(NftError);
      expect(refused).to.deep.equal([]);
      expect(kernel.meaning().size).to.equal(3);
    });
  });

  it('ends at the same tables by any way of changes as from nothing, each change taken at once', async () => {
    const hosts = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 6 });
    const step = fc.record({
      service: fc.integer({ min: 1, max: 4 }),
      /** Null: the Service is deleted. */
      hosts: fc.option(hosts, { freq: 4 }),
      external: fc.boolean(),
      /** Two Services may claim one address. */
      at: fc.integer({ min: 1, max: 3 }),
      commit: fc.boolean(),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const walked = setUp();
        const last = new Map<number, (typeof steps)[number]>();
        for (const each of steps) {
          last.set(each.service, each);
          const key = `s${each.service}`;
          if (each.hosts === null) walked.book.remove(key);
          else
            walked.book.put(
              owner(key, `2026-01-0${each.service}T00:00:00Z`),
              frontends(each.at, each.hosts, each.external),
            );
          if (each.commit) await walked.commitAll();
        }
        await walked.commitAll();

        const direct = setUp();
        for (const { service, hosts, at, external } of [...last.values()].reverse()) {
          if (hosts === null) continue;
          direct.book.put(
            owner(`s${service}`, `2026-01-0${service}T00:00:00Z`),
            frontends(at, hosts, external),
          );
        }
        await direct.commitAll();

        expect(walked.kernel.meaning()).to.deep.equal(direct.kernel.meaning());
        expect(walked.kernel.size).to.equal(direct.kernel.size);
        expect(walked.committer.model.elements).to.equal(walked.kernel.size);
        expect(walked.refused).to.deep.equal([]);
      }),
      { numRuns: 200 },
    );
  });
});
