import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { environmentDir, isWhole } from '../../peers/aws/python-environment.ts';

describe('stand-in for AWS: its Python environment', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'fairlead-test-'));
  });

  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** An environment made with `python3.<minor>` of a folder that has that of 3.11. */
  async function make(minor: number): Promise<void> {
    const home = join(dir, 'home');
    await mkdir(home);
    await writeFile(join(home, 'python3.11'), '');
    await writeFile(join(dir, 'pyvenv.cfg'), `home = ${home}\nversion = 3.${minor}.2\n`);
  }

  it('is whole once it is finished', async () => {
    await make(11);
    await writeFile(join(dir, 'finished'), '');

    expect(isWhole(dir)).to.equal(true);
  });

  it('is not when its making was cut off', async () => {
    await make(11);

    expect(isWhole(dir)).to.equal(false);
  });

  it('is not when its Python is gone', async () => {
    await make(10);
    await writeFile(join(dir, 'finished'), '');

    expect(isWhole(dir)).to.equal(false);
  });

  it('lies in the cache that the user names', () => {
    const { XDG_CACHE_HOME } = process.env;
    process.env.XDG_CACHE_HOME = '/somewhere';
    try {
      expect(environmentDir()).to.match(/^\/somewhere\/fairlead\/aws\/moto-linux-\w+-[0-9a-f]{12}$/);
    } finally {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    }
  });
});
