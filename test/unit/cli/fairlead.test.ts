import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const FAIRLEAD = fileURLToPath(new URL('../../../cli/fairlead.ts', import.meta.url));

function fairlead(...args: string[]) {
  return spawnSync(process.execPath, [FAIRLEAD, ...args], { encoding: 'utf8' });
}

describe('fairlead', function () {
  this.timeout(60_000);

  it('gives a command the flags that are left', () => {
    expect(fairlead('edge', '--help')).to.deep.include({ status: 0, stderr: '' });
    expect(fairlead('edge', '--help').stdout).to.include('--provider');
    expect(fairlead('edge', '--colour', 'red')).to.include({ status: 2 });
  });

  it('says what its commands do', () => {
    for (const ask of ['--help', 'help']) {
      const { status, stdout } = fairlead(ask);
      expect(status).to.equal(0);
      expect(stdout).to.match(/fairlead webhook-test +tests a server/);
    }
  });

  it('names its commands when there is no such one', () => {
    for (const args of [[], ['toString']]) {
      expect(fairlead(...args)).to.include({
        status: 2,
        stderr: 'usage: fairlead agent|edge|operator|webhook-test [flags]\n',
      });
    }
  });
});
