import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Advertiser } from '../../../agent/announce/advertise.ts';
import { silentLogger } from '../../../kube/log.ts';
import { eventually } from '../../support/eventually.ts';

const LOOPBACK = { name: 'lo', index: 1, mac: '00:00:00:00:00:00', subnets: [], defaultRoute: [] };

/** The process of ours that sends; it fails while there is none. */
async function senderPid(): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,args=', '--ppid', `${process.pid}`]);
  const [line = ''] = stdout.split('\n').filter((text) => text.includes('send-neighbours.pl'));
  expect(line).to.not.equal('');
  return Number.parseInt(line, 10);
}

describe('who tells the neighbours', () => {
  it('one process sends all rounds, and when it is killed another does', async () => {
    const rounds = Array.from({ length: 300 }, (_, index) => index * 50);
    const advertiser = new Advertiser(silentLogger, rounds, () => [LOOPBACK]);
    try {
      advertiser.start(['198.18.77.1'], () => new Map([['198.18.77.1', 'lo']]));
      const first = await eventually(senderPid);
      process.kill(first, 'SIGKILL');
      const second = await eventually(async () => {
        const pid = await senderPid();
        expect(pid).to.not.equal(first);
        return pid;
      });
      expect(second).to.be.above(0);
    } finally {
      advertiser.stop();
    }
    await eventually(async () => {
      expect(await senderPid().catch(() => 0)).to.equal(0);
    });
  });
});
