import { expect } from 'chai';
import { eventually } from '../../../support/eventually.ts';
import { unserved } from '../../support/judge-outcomes.ts';
import { run } from '../../support/run.ts';
import { untilKubeProxyIsQuiet } from '../support/await-kube-proxy.ts';
import type { BesideLab } from '../support/beside-lab.ts';
import { dial, expectBoth, expectKubeProxys, expectVips } from '../support/expectations.ts';
import { expectFlows, openFlows } from '../support/flows.ts';
import { readForeignTables, readOwnTables } from '../support/foreign-rules.ts';
import { B1, CLIENT, P1, P2 } from '../support/places.ts';
import {
  clusterIpsOf,
  createService,
  deleteService,
  forwardingPortOf,
  type ServiceSketch,
  vipsOf,
} from '../support/services.ts';

const ANNOUNCED: ServiceSketch = {
  name: 'announced',
  host: 21,
  type: 'LoadBalancer',
  loadBalancer: true,
  pods: [P1, P2],
  announced: { addresses: ['198.18.0.200', 'fd00:198::200'], node: B1.name },
};

export function cleansUp(lab: () => BesideLab): void {
  const onNode = (...words: string[]) => run('ip', 'netns', 'exec', B1.name, ...words);
  const readAddresses = async () => {
    const listing: { ifname: string; addr_info: { local: string }[] }[] = JSON.parse(
      await onNode('ip', '-j', 'address'),
    );
    return listing
      .flatMap(({ ifname, addr_info }) => addr_info.map(({ local }) => `${ifname} ${local}`))
      .sort();
  };
  /** Beside tables and addresses, all that a program like ours might change on a node. */
  const readNode = async () => ({
    foreign: await readForeignTables(),
    addresses: await readAddresses(),
    rules: (await onNode('ip', 'rule')) + (await onNode('ip', '-6', 'rule')),
    sysctls: await onNode(
      'sh',
      '-c',
      'sysctl net.netfilter net.ipv4.conf net.ipv4.vs net.ipv4.ip_forward 2>/dev/null | sort | grep -v nf_conntrack_count',
    ),
  });

  it('leaves nothing of its own: tables, addresses, rules, settings', async () => {
    await lab().startMissing();
    await untilKubeProxyIsQuiet(lab());
    await lab().cleanUp(B1);
    // Ended, so that every change is ours; its rules stay.
    await lab().kubeProxy(B1).kill();
    const before = await readNode();

    await createService(lab().client, ANNOUNCED);
    await lab().startAgent(B1);
    const [address = ''] = ANNOUNCED.announced?.addresses ?? [];
    await eventually(async () => expect(await readAddresses()).to.include(`eth1 ${address}`), 30_000);
    await eventually(async () =>
      expect(await dial(lab(), CLIENT, ANNOUNCED.announced?.addresses ?? [], 80)).to.deep.equal(['served']),
    );
    expect((await readOwnTables()).size).to.equal(4);
    await lab().endAgent(B1, 'kill');
    expect(await readAddresses()).to.include(`eth1 ${address}`);
    await deleteService(lab().client, ANNOUNCED);

    await lab().cleanUp(B1);
    expect((await readOwnTables()).size).to.equal(0);
    expect(await readNode()).to.deep.equal(before);
  });

  it('hands over to kube-proxy without a gap what that serves too, open connections too', async () => {
    await lab().startMissing();
    await untilKubeProxyIsQuiet(lab());
    await openFlows(lab());
    const outcomes = await lab()
      .station(CLIENT)
      .dialWhile({ transport: 'tcp', address: vipsOf(11)[0], port: 80 }, 20, () => lab().cleanUp(B1));
    expect(unserved(outcomes)).to.deep.equal([]);
    await expectFlows(lab());

    await expectKubeProxys(lab());
    await expectVips(lab(), 'kube-proxy');
    const forwarded = await dial(lab(), CLIENT, [B1.address, B1.address6], forwardingPortOf(11));
    expect(forwarded, 'what only we served').to.deep.equal(['refused']);
    const labelled = await dial(lab(), P1, clusterIpsOf(12), 80, { timeoutMs: 400 });
    expect(labelled, 'what only we served').not.to.include('served');

    await lab().startAgent(B1);
    await expectBoth(lab());
  });
}
