import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { expect } from 'chai';
import { eventually, sleep } from '../../support/eventually.ts';
import { run } from '../support/run.ts';
import { EdgeLab, type SecondEdge } from './support/edge-lab.ts';
import { ask } from './support/traffic.ts';

const VIPS = ['192.0.2.10', '192.0.2.11'];
const [VIP = ''] = VIPS;
/** Without an answer, on a machine with other work to do; on an idle one it is 2 s at most. */
const FAILOVER_MS = 10_000;

describe('two edges with one set of addresses', function () {
  this.timeout(120_000);
  let lab: EdgeLab;
  let second: SecondEdge;

  before(async () => {
    lab = await EdgeLab.start('pair', { interface: 'eth0', vrrp: { virtualRouterID: 51 } });
    second = await lab.startSecond();
    await lab.addNode(1);
    await lab.addService('web', { address: VIP });
    await lab.healthyTargets('web', 1);
    await lab.healthyTargets('web', 1, 'edge-2');
  });

  after(async () => {
    await second?.edge.end('SIGKILL');
    for (const folder of [lab.folder, second.folder]) {
      endProcess(`${folder}/keepalived.pid`);
      endProcess(`${folder}/haproxy.pid`);
    }
    await rm(second.folder, { recursive: true });
    await run('ip', 'netns', 'del', second.netns);
    await lab.stop();
  });

  function endProcess(pidFile: string): void {
    try {
      process.kill(Number(readFileSync(pidFile, 'utf8').trim()), 'SIGTERM');
    } catch {
      // It has ended.
    }
  }

  /** The machines that have an address. */
  async function ownersOf(address: string): Promise<string[]> {
    const owners: string[] = [];
    for (const netns of [lab.netns, second.netns]) {
      const shown = await run('ip', '-n', netns, '-o', 'address', 'show', 'dev', 'eth0', 'to', address);
      if (shown !== '') owners.push(netns);
    }
    return owners;
  }

  async function oneOwner(address: string): Promise<string> {
    return await eventually(async () => {
      const owners = await ownersOf(address);
      expect(owners, address).to.have.length(1);
      const answered = await ask(address, 80);
      expect(answered).to.equal('10.88.1.1');
      return owners[0] ?? '';
    });
  }

  /** How long nobody answered, asked every 50 ms, until somebody does again for a second. */
  async function outageMs(cut: () => Promise<void>): Promise<number> {
    const cutAt = performance.now();
    await cut();
    let lastFailure = cutAt;
    while (performance.now() < lastFailure + 1_000) {
      const startedAt = performance.now();
      const answer = ask(VIP, 80).then(
        () => true,
        () => false,
      );
      if (!(await Promise.race([answer, sleep(300).then(() => false)]))) lastFailure = performance.now();
      expect(startedAt, 'nobody takes over').to.be.below(cutAt + FAILOVER_MS);
      await sleep(50);
    }
    return lastFailure - cutAt;
  }

  it('has each address on one machine, both ready to serve it', async () => {
    const owner = await oneOwner(VIP);
    const [, more = ''] = VIPS;
    await lab.addService('more', {
      address: more,
      addresses: [
        { address: more, family: 'IPv4', pool: 'pool' },
        { address: '2001:db8::11', family: 'IPv6', pool: 'pool' },
      ],
    });
    expect(await oneOwner(more)).to.equal(owner);
    await eventually(async () => expect(await ownersOf('2001:db8::11')).to.deep.equal([owner]));
    for (const edge of ['edge-1', 'edge-2']) {
      expect(await lab.reportOf('web', edge)).to.include({ name: edge, serving: true });
    }
  });

  it('takes over when the machine that has them is cut off, and does not take them back', async () => {
    const owner = await oneOwner(VIP);
    const other = owner === lab.netns ? second.netns : lab.netns;
    const ms = await outageMs(async () => {
      await run('ip', 'link', 'set', `${owner}-p`, 'down');
    });
    process.stdout.write(`      ${Math.round(ms)} ms without an answer\n`);
    expect(await ownersOf(VIP)).to.include(other);
    await run('ip', 'link', 'set', `${owner}-p`, 'up');
    for (const address of VIPS) expect(await oneOwner(address)).to.equal(other);
  });

  it('ends keepalived when VRRP is taken out of the provider, and begins it again', async () => {
    await lab.patchProvider({ vrrp: null });
    await eventually(async () => expect(await ownersOf(VIP)).to.have.length(2));
    await lab.patchProvider({ vrrp: { virtualRouterID: 52 } });
    for (const address of VIPS) await oneOwner(address);
  });

  it('takes over when HAProxy cannot run there', async () => {
    const owner = await oneOwner(VIP);
    const isFirst = owner === lab.netns;
    const ms = await outageMs(async () => {
      // With its edge, which would start it again.
      await (isFirst ? lab.edge : second.edge).end('SIGKILL');
      const pidFile = `${isFirst ? lab.folder : second.folder}/haproxy.pid`;
      process.kill(Number(readFileSync(pidFile, 'utf8').trim()), 'SIGTERM');
    });
    process.stdout.write(`      ${Math.round(ms)} ms without an answer\n`);
    expect(await oneOwner(VIP)).to.not.equal(owner);
  });
});
