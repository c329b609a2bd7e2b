import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const WRITER = fileURLToPath(new URL('support/write-and-hang.ts', import.meta.url));

describe('agent killed while nft reads', function () {
  this.timeout(30_000);
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
      await writeFile(script, `sleep 1; cat > ${heard}.part; mv ${heard}.part ${heard}\n`);
      const writer = spawn(process.execPath, [WRITER, script, String(length)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(writer.stdout, 'data');
      writer.kill('SIGKILL');
      await once(writer, 'exit');

      expect((await eventuallyRead(heard)).length).to.equal(length);
      await rm(heard);
    });
  }
});

async function eventuallyRead(path: string): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null) return text;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${path} never came`);
}
