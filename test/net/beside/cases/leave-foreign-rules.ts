import { expect } from 'chai';
import { eventually } from '../../../support/eventually.ts';
import { run } from '../../support/run.ts';
import { untilKubeProxyIsQuiet } from '../support/await-kube-proxy.ts';
import type { BesideLab } from '../support/beside-lab.ts';
import { readForeignTables, readKeys, readOwnTables } from '../support/foreign-rules.ts';
import { B1, P1 } from '../support/places.ts';
import { RuleMonitor } from '../support/rule-monitor.ts';
import {
  clusterIpsOf,
  createService,
  deleteService,
  labelService,
  leadTo,
  type ServiceSketch,
  vipsOf,
} from '../support/services.ts';

const PASSING: ServiceSketch = {
  name: 'passing',
  host: 20,
  type: 'LoadBalancer',
  loadBalancer: true,
  pods: [P1],
};

export function leavesForeignRules(lab: () => BesideLab): void {
  const untilKeys = (map: string, key: string, there: boolean) =>
    eventually(async () => expect((await readKeys(map)).includes(key)).to.equal(there), 30_000);

  /** All that an agent does in its life: each step ends when it shows in our tables. */
  async function liveAgentsLife(): Promise<void> {
    const { client } = lab();
    const [clusterIp] = clusterIpsOf(PASSING.host);
    const [vip] = vipsOf(PASSING.host);
    await lab().cleanUp(B1);
    await lab().startAgent(B1);
    await createService(client, PASSING);
    await untilKeys('services', `${vip} . tcp . 80`, true);
    await labelService(client, PASSING.name, 'fairlead');
    await untilKeys('services', `${clusterIp} . tcp . 80`, true);
    await leadTo(client, { ...PASSING, pods: [] });
    await untilKeys('no-endpoint-services', `${clusterIp} . tcp . 80`, true);
    await run('ip', 'netns', 'exec', B1.name, 'nft', 'delete', 'table', 'ip', 'fairlead');
    await untilKeys('no-endpoint-services', `${clusterIp} . tcp . 80`, true);
    await lab().endAgent(B1, 'kill');
    await lab().startAgent(B1);
    await lab().endAgent(B1, 'stop');
    await lab().startAgent(B1, '--serve=All', '--health-address=0.0.0.0:10356');
    await lab().endAgent(B1, 'stop');
    await lab().startAgent(B1);
    await deleteService(client, PASSING);
    await untilKeys('no-endpoint-services', `${clusterIp} . tcp . 80`, false);
    await lab().cleanUp(B1);
  }

  it('changes no byte of a foreign table in all its life', async () => {
    await lab().startMissing();
    await untilKubeProxyIsQuiet(lab());
    // Ended, so that every change is ours; its rules stay.
    await lab().kubeProxy(B1).kill();
    const before = await readForeignTables();
    expect([...before.keys()].length).to.be.greaterThan(2);
    const monitor = await RuleMonitor.start(B1.name);
    await liveAgentsLife();
    expect(await readForeignTables()).to.deep.equal(before);
    expect(await monitor.end(), 'not even there and back').to.deep.equal([]);
  });

  it('has its tables left alone by kube-proxy: starting, writing all anew, cleaning up', async () => {
    await lab().startMissing();
    await untilKubeProxyIsQuiet(lab());
    const before = await readOwnTables();
    await lab().cleanUpKubeProxy(B1);
    expect(await readOwnTables()).to.deep.equal(before);
    await lab().kubeProxy(B1).start();
    await untilKubeProxyIsQuiet(lab());
    await lab().kubeProxy(B1).kill();
    await lab().kubeProxy(B1).start();
    await untilKubeProxyIsQuiet(lab());
    expect(await readOwnTables()).to.deep.equal(before);
  });
}
