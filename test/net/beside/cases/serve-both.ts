import { expect } from 'chai';
import { eventually } from '../../../support/eventually.ts';
import { untilKubeProxyIsQuiet } from '../support/await-kube-proxy.ts';
import type { BesideLab } from '../support/beside-lab.ts';
import { dial, expectBoth, LOCAL } from '../support/expectations.ts';
import { readForeignTables, readOwnTables } from '../support/foreign-rules.ts';
import { B1, B2, CLIENT } from '../support/places.ts';

export function servesBoth(lab: () => BesideLab): void {
  it('serves what is its own, and kube-proxy the rest, started second', async () => {
    for (const node of [B1, B2]) {
      await lab().cleanUp(node);
      await lab().kubeProxy(node).start();
    }
    const before = await untilKubeProxyIsQuiet(lab());
    for (const node of [B1, B2]) await lab().startAgent(node);
    await expectBoth(lab());
    expect(await readForeignTables()).to.deep.equal(before);
  });

  it('serves what is its own, and kube-proxy the rest, started first', async () => {
    for (const node of [B1, B2]) {
      await lab().cleanUp(node);
      await lab().cleanUpKubeProxy(node);
      await lab().startAgent(node);
    }
    const before = await readOwnTables();
    for (const node of [B1, B2]) await lab().kubeProxy(node).start();
    await untilKubeProxyIsQuiet(lab());
    await expectBoth(lab());
    expect(await readOwnTables()).to.deep.equal(before);
  });

  it('tells its health beside kube-proxy, and leaves the health of unlabelled Services to it', async () => {
    await lab().startMissing();
    await untilKubeProxyIsQuiet(lab());
    const health = async (port: number) => (await fetch(`http://${B1.address}:${port}/healthz`)).status;
    for (const port of [10_256, 10_356]) {
      await eventually(async () => expect(await health(port)).to.equal(200));
    }
    const { healthCheckNodePort = 0 } = LOCAL.spec ?? {};
    const ask = () => fetch(`http://${B2.address}:${healthCheckNodePort}/`);
    await eventually(async () => expect((await ask()).status).to.equal(200));

    await lab().kubeProxy(B2).kill();
    expect(
      await dial(lab(), CLIENT, [B2.address, B2.address6], healthCheckNodePort),
      'kube-proxy had the port alone',
    ).to.deep.equal(['refused']);
  });
}
