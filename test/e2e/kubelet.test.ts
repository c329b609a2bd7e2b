import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Pod } from '../lab/kubelet/pod.ts';
import { PODS } from '../lab/kubelet/pod.ts';
import type { PodRecord } from '../lab/kubelet/pod-records.ts';
import type { Lab } from '../lab/lab.ts';
import { isAlive, type ProcessRecord } from '../lab/process-identity.ts';
import { eventually } from '../support/eventually.ts';
import { sharedLab } from './support/shared-lab.ts';
import { deployWeb, HTTP_PORT, podsOf, removeNamespace, rolledOut } from './support/web.ts';

const NAMESPACE = 'e2e-kubelet';

describe("The lab's kubelet", function () {
  this.timeout(120_000);
  let lab: Lab;

  before(async function () {
    lab = await sharedLab(this);
    await deployWeb(lab, NAMESPACE);
  });

  after(() => removeNamespace(lab, NAMESPACE));

  function processOf(pod: Pod): ProcessRecord {
    const file = `/run/fairlead-lab/pods/${pod.spec.nodeName}/${pod.metadata.uid}.json`;
    const record: PodRecord = JSON.parse(readFileSync(file, 'utf8'));
    const found = record.containers.web?.process;
    if (!found) throw new Error(`${file} names no process`);
    return found;
  }

  async function onePod(): Promise<Pod> {
    const [pod] = await podsOf(lab, NAMESPACE);
    if (!pod) throw new Error('there is no pod');
    return pod;
  }

  it('starts a crashed container again, in the same pod, and counts it', async () => {
    const pod = await onePod();
    const crashed = processOf(pod);
    process.kill(crashed.pid, 'SIGKILL');
    await eventually(async () => {
      const { status } = await lab.api.get(PODS, NAMESPACE, pod.metadata.name);
      expect(status?.containerStatuses?.[0]).to.include({ restartCount: 1, ready: true });
      expect(status?.podIPs).to.deep.equal(pod.status?.podIPs);
    });
    await eventually(() => expect(processOf(pod).pid).not.to.equal(crashed.pid));
  });

  it('takes its pods over when it is killed and started again', async () => {
    const pods = await podsOf(lab, NAMESPACE);
    const before = pods.map(processOf);
    for (const { name } of lab.nodes) await lab.kubelet(name).restart();
    await eventually(async () => {
      for (const { metadata, spec, status } of pods) {
        // Only a kubelet that probes says so.
        const url = `http://${status?.podIP}:${HTTP_PORT}/fail-readiness?healAfterMs=2000`;
        await lab.exec(spec.nodeName ?? '', ['curl', '-sS', '-X', 'POST', url]);
        const seen = await lab.api.get(PODS, NAMESPACE, metadata.name);
        expect(seen.status?.containerStatuses?.[0]?.ready).to.equal(false);
      }
    });
    await rolledOut(lab, NAMESPACE);
    expect(before.every(isAlive)).to.equal(true);
    expect((await podsOf(lab, NAMESPACE)).map(processOf)).to.deep.equal(before);
  });

  it('lets a pod finish what it does, and kills it when its grace is over', async () => {
    const pod = await onePod();
    const server = processOf(pod);
    const url = `http://${pod.status?.podIP}:${HTTP_PORT}/?delayMs=`;
    const curl = (delayMs: number) =>
      lab.exec(pod.spec.nodeName ?? '', ['curl', '-sS', '--max-time', '20', `${url}${delayMs}`]);
    const short = curl(1_500);
    const long = curl(15_000);
    let isShortDone = false;
    void short.then(() => {
      isShortDone = true;
    });
    // Both have begun, or the short one is over already: a machine may be busy.
    await eventually(async () => {
      const filter = ['-Htn', 'state', 'established', 'dst', `${pod.status?.podIP}:${HTTP_PORT}`];
      const { stdout } = await lab.exec(pod.spec.nodeName ?? '', ['ss', ...filter]);
      const open = stdout.split('\n').filter((line) => line !== '').length;
      expect(isShortDone ? 2 : open).to.be.at.least(2);
    });
    expect(isAlive(server)).to.equal(true);
    const deletedAt = performance.now();
    await lab.kubectl([
      'delete',
      'pod',
      pod.metadata.name,
      '-n',
      NAMESPACE,
      '--grace-period=3',
      '--wait=false',
    ]);
    await eventually(async () => expect(isAlive(server)).to.equal(false));
    expect(performance.now() - deletedAt).to.be.within(2_000, 13_000);
    expect((await short).status).to.equal(0);
    expect((await long).status).not.to.equal(0);
    await lab.kubectl(['wait', '--for=delete', `pod/${pod.metadata.name}`, '-n', NAMESPACE, '--timeout=60s']);
    await rolledOut(lab, NAMESPACE);
  });

  it('keeps nothing of a pod that is gone', async () => {
    const pod = await onePod();
    const name = `pod-${pod.metadata.uid?.slice(0, 13)}`;
    expect((await lab.exec(pod.spec.nodeName ?? '', ['ip', 'netns', 'list'])).stdout).to.include(name);
    await lab.kubectl(['delete', 'pod', pod.metadata.name, '-n', NAMESPACE, '--grace-period=1']);
    await eventually(async () => {
      expect((await lab.exec(pod.spec.nodeName ?? '', ['ip', 'netns', 'list'])).stdout).not.to.include(name);
      expect(() => processOf(pod)).to.throw('ENOENT');
    });
    await rolledOut(lab, NAMESPACE);
  });
});
