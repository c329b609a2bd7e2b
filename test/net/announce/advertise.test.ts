import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Advertiser } from '../../../agent/announce/advertise.ts';
import { silentLogger } from '../../../kube/log.ts';
import { eventually, sleep } from '../../support/eventually.ts';

const LOOPBACK = { name: 'lo', index: 1, mac: '00:00:00:00:00:00', subnets: [], defaultRoute: [] };

/** The process of ours that sends; it fails while there is none. */
async function senderPid(): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,args=', '--ppid', `${process.pid}`]);
  const [line = ''] = stdout.split('\n').filter((text) => text.includes('send-neighbours.pl'));
  expect(line).to.not.equal('');
  return Number.parseInt(line, 10);
}

describe('who tells the neighbours', () => {
  const rounds = Array.from({ length: 600 }, (_, index) => index * 50);
  let advertiser: Advertiser;

  beforeEach(() => {
    advertiser = new Advertiser(silentLogger, rounds, () => [LOOPBACK]);
    advertiser.start(['198.18.77.1'], () => new Map([['198.18.77.1', 'lo']]));
  });
  afterEach(async () => {
    advertiser.stop();
    await eventually(async () => {
      expect(await senderPid().catch(() => 0)).to.equal(0);
    });
  });
  const untilAnother = async (before: number) =>
    await eventually(async () => expect(await senderPid()).to.not.equal(before));

  it('is one process for many rounds, longer than one that says nothing would be left', async () => {
    const first = await eventually(senderPid);
    await sleep(2_000);
    expect(await senderPid()).to.equal(first);
  });

  it('is another one when it is killed', async () => {
    const first = await eventually(senderPid);
    process.kill(first, 'SIGKILL');
    await untilAnother(first);
  });

  it('is another one when it hangs, and what it has not sent is never sent', async () => {
    const first = await eventually(senderPid);
    process.kill(first, 'SIGSTOP');
    await untilAnother(first);
    expect(() => process.kill(first, 0)).to.throw();
  });
});
