import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { keepalivedFiles } from '../../../edge/vrrp/keepalived.ts';
import { renderKeepalived } from '../../../edge/vrrp/render-keepalived.ts';
import { eventually } from '../../support/eventually.ts';
import { run } from '../support/run.ts';
import { EdgeLab } from './support/edge-lab.ts';

const DEVICE = 'eth0';
const ROUTER = 53;
const [BEFORE, AFTER, LATER] = ['192.0.2.10', '192.0.2.11', '192.0.2.12'];

describe('an edge that was killed before it told keepalived what it had written', function () {
  this.timeout(120_000);
  let lab: EdgeLab;

  before(async () => {
    lab = await EdgeLab.start('told', { interface: DEVICE, vrrp: { virtualRouterID: ROUTER } });
    await lab.addNode(1);
    await lab.addService('web', { address: BEFORE });
    await eventually(async () => expect(await isHeld(BEFORE)).to.equal(true));
  });

  after(async () => {
    if (lab === undefined) return;
    await lab.edge.end('SIGKILL');
    const pid = runningPid();
    if (pid > 0) process.kill(pid, 'SIGTERM');
    await lab.stop();
  });

  async function isHeld(address: string): Promise<boolean> {
    return (await run('ip', '-n', lab.netns, '-o', 'address', 'show', 'dev', DEVICE, 'to', address)) !== '';
  }

  function runningPid(): number {
    return Number(readFileSync(keepalivedFiles(lab.folder).pid, 'utf8'));
  }

  /** How often it took in its configuration anew. */
  function reloads(): number {
    return readFileSync(keepalivedFiles(lab.folder).log, 'utf8').split('Reloading ...').length - 1;
  }

  it('has it take that in when it is there again, and disturbs it no more after that', async () => {
    const pid = runningPid();
    await lab.edge.end('SIGKILL');
    const { config, failed } = keepalivedFiles(lab.folder);
    const addresses = [BEFORE, AFTER];
    const text = renderKeepalived({
      name: 'edge-1',
      device: DEVICE,
      virtualRouterID: ROUTER,
      addresses,
      failed,
    });
    writeFileSync(config, text);
    await lab.addService('more', { address: AFTER });
    lab.startEdgeAgain();
    await eventually(async () => expect(await isHeld(AFTER)).to.equal(true), 60_000);
    expect(readFileSync(config, 'utf8')).to.equal(text);
    expect(runningPid()).to.equal(pid);

    const before = reloads();
    await lab.edge.end('SIGKILL');
    lab.startEdgeAgain();
    await lab.edge.says('Serving');
    await lab.addService('last', { address: LATER });
    await eventually(async () => expect(await isHeld(LATER)).to.equal(true));
    expect(reloads()).to.equal(before + 1);
    expect(runningPid()).to.equal(pid);
  });
});
