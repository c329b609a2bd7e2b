import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createNft } from '../../../agent/nftables/run-nft.ts';
import { run } from '../support/run.ts';

const WRITER = fileURLToPath(new URL('support/write-and-hang.ts', import.meta.url));

describe('agent killed while nft reads', function () {
  this.timeout(90_000);
  let dir: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'fairlead-cut-'));
  });

  after(async () => {
    await rm(dir, { recursive: true });
  });

  for (const length of [10_000, 5_000_000]) {
    it(`gives nft all ${length.toLocaleString('en')} characters all the same, never a part of them`, async () => {
      const script = join(dir, 'slow-nft');
      const heard = join(dir, 'heard');
      const begun = join(dir, 'begun');
      await writeFile(script, `touch ${begun}; sleep 1; cat > ${heard}.part; mv ${heard}.part ${heard}\n`);
      const writer = spawn(process.execPath, [WRITER, script, String(length)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await Promise.all([once(writer.stdout, 'data'), eventuallyRead(begun)]);
      writer.kill('SIGKILL');
      await once(writer, 'exit');

      expect((await eventuallyRead(heard)).length).to.equal(length);
      await Promise.all([heard, begun].map((file) => rm(file)));
    });
  }

  it('tells why no folder takes an input, gives it through a pipe then, and tells when one does again', async () => {
    const script = join(dir, 'count-input');
    const readOnly = join(dir, 'read-only');
    await writeFile(script, 'wc -c\n');
    await mkdir(readOnly);
    const problems: (string | null)[] = [];
    const nft = createNft(['sh', script], (problem) => problems.push(problem));
    const count = async () => Number(await nft({ args: ['-f', '-'], input: 'x'.repeat(2_000_000) }));
    const { TMPDIR } = process.env;
    await run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/dev/shm');
    await run('mount', '-t', 'tmpfs', '-o', 'ro', 'tmpfs', readOnly);
    process.env.TMPDIR = readOnly;
    try {
      expect(await count()).to.equal(2_000_000);
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
      await run('umount', readOnly);
      await run('umount', '/dev/shm');
    }
    expect(problems).to.have.length(1);
    expect(problems[0]).to.match(/\/dev\/shm: ENOSPC.*read-only: EROFS/);
    expect(await count()).to.equal(2_000_000);
    expect(problems).to.have.length(2);
    expect(problems[1]).to.equal(null);
  });
});

async function eventuallyRead(path: string): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null) return text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${path} never came`);
}
