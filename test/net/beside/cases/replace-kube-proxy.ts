import { expect } from 'chai';
import { eventually } from '../../../support/eventually.ts';
import { unserved } from '../../support/judge-outcomes.ts';
import type { Outcome } from '../../support/station-protocol.ts';
import { untilKubeProxyIsQuiet } from '../support/await-kube-proxy.ts';
import type { BesideLab } from '../support/beside-lab.ts';
import { expectBoth, expectKubeProxys, expectVips } from '../support/expectations.ts';
import { expectFlows, openFlows } from '../support/flows.ts';
import { readForeignTables } from '../support/foreign-rules.ts';
import { B1, CLIENT, P1 } from '../support/places.ts';
import { clusterIpsOf, nodePortOf } from '../support/services.ts';

const BESIDE = '--health-address=0.0.0.0:10356';

/** The steps that docs/beside.md tells, on one node. */
export function replacesKubeProxy(lab: () => BesideLab): void {
  it('takes the place of kube-proxy step by step, and gives it back, without a failed connection', async () => {
    await lab().startMissing();
    await untilKubeProxyIsQuiet(lab());
    await openFlows(lab());
    const nodePort = { transport: 'tcp', address: B1.address, port: nodePortOf(11) } as const;
    const clusterIp = { transport: 'tcp', address: clusterIpsOf(11)[1], port: 80 } as const;
    let fromOutside: Outcome[] = [];
    const fromPod = await lab()
      .station(P1)
      .dialWhile(clusterIp, 20, async () => {
        fromOutside = await lab().station(CLIENT).dialWhile(nodePort, 20, goThereAndBack);
      });
    expect(unserved(fromPod)).to.deep.equal([]);
    expect(unserved(fromOutside)).to.deep.equal([]);
    await expectFlows(lab());
    await expectBoth(lab());
  });

  async function goThereAndBack(): Promise<void> {
    // Both serve everything, ours first.
    await lab().endAgent(B1, 'stop');
    await lab().startAgent(B1, '--serve=All', BESIDE);
    await lab().cleanUpKubeProxy(B1);
    const left = [...(await readForeignTables()).values()].filter((text) =>
      /10\.96\.0\.11|fd00:96::11/.test(text),
    );
    expect(left, "kube-proxy's rules are gone").to.deep.equal([]);
    await expectKubeProxys(lab());
    await expectVips(lab(), 'fairlead');
    // Its health, where kube-proxy's was.
    await lab().endAgent(B1, 'stop');
    await lab().startAgent(B1, '--serve=All');
    const health = async () => (await fetch(`http://${B1.address}:10256/healthz`)).status;
    await eventually(async () => expect(await health()).to.equal(200));

    // And back.
    await lab().endAgent(B1, 'stop');
    await lab().startAgent(B1, '--serve=All', BESIDE);
    await lab().kubeProxy(B1).start();
    await untilKubeProxyIsQuiet(lab());
    await lab().endAgent(B1, 'stop');
    await lab().startAgent(B1);
    await untilKubeProxyIsQuiet(lab());
  }
}
