import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { GuardTable, renderAlive, renderHeld } from '../../../agent/announce/guard-table.ts';
import { renderAddress } from '../../../agent/announce/held-addresses.ts';
import { KernelHelper } from '../../../agent/announce/kernel-helper.ts';
import { readAddresses } from '../../../agent/announce/node-interfaces.ts';

const FIRST = '198.18.77.1';
const SECOND = 'fd00:198::77:2';

async function onLoopback(): Promise<string[]> {
  const ours = (await readAddresses()).filter(({ device }) => device === 'lo');
  return ours.map(({ address }) => address).filter((address) => address === FIRST || address === SECOND);
}

describe('guard and addresses, changed by a shell', () => {
  const guard = new GuardTable();
  let kernel: KernelHelper;

  beforeEach(async () => {
    kernel = new KernelHelper();
    await guard.open();
  });

  afterEach(async () => {
    await kernel.change(
      '',
      [FIRST, SECOND].map((address) => renderAddress('delete', address, 'lo')),
    );
    await guard.close();
  });

  it('puts addresses under guard and on the interface', async () => {
    const complaint = await kernel.change(renderHeld('add', [FIRST, SECOND]) + renderAlive(500), [
      renderAddress('replace', FIRST, 'lo'),
      renderAddress('replace', SECOND, 'lo'),
    ]);

    expect(complaint).to.equal('');
    expect(await guard.held()).to.have.members([FIRST, SECOND]);
    expect(await onLoopback()).to.have.members([FIRST, SECOND]);
  });

  it('without its guard an address is not put on', async () => {
    await guard.close();

    const change = kernel.change(renderHeld('add', [FIRST]), [renderAddress('replace', FIRST, 'lo')]);

    expect(await change.catch(String)).to.match(/^Error: nft: .*No such file or directory/s);
    expect(await onLoopback()).to.deep.equal([]);
  });

  it('tells what ip complains of, and goes on with the next line', async () => {
    const complaint = await kernel.change('', [
      renderAddress('replace', FIRST, 'no-such-device'),
      renderAddress('replace', SECOND, 'lo'),
    ]);

    expect(complaint).to.include('no-such-device');
    expect(await onLoopback()).to.deep.equal([SECOND]);
  });

  it('fails when a program is killed before its end, for nobody knows what is in the kernel then', async () => {
    const { PATH = '' } = process.env;
    const folder = await mkdtemp('/tmp/kernel-helper-');
    try {
      await writeFile(`${folder}/nft`, '#!/bin/sh\nkill -KILL $PPID\n', { mode: 0o755 });
      process.env.PATH = `${folder}:${PATH}`;
      const other = new KernelHelper();
      const change = other.change(renderHeld('add', [FIRST]), [renderAddress('replace', FIRST, 'lo')]);
      expect(await change.catch(String)).to.include('were not run to their end');
    } finally {
      process.env.PATH = PATH;
      await rm(folder, { recursive: true });
    }
    expect(await onLoopback()).to.deep.equal([]);
  });

  it('a thousand addresses at once, too', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `fd00:198::78:${index.toString(16)}`);
    const complaint = await kernel.change(
      renderHeld('add', [FIRST, ...many]),
      Array.from({ length: 500 }, () => renderAddress('replace', FIRST, 'lo')),
    );

    expect(complaint).to.equal('');
    expect(await guard.held()).to.have.length(1_001);
    expect(await onLoopback()).to.deep.equal([FIRST]);
  });
});
