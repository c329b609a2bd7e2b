import { expect } from 'chai';
import { eventually } from '../../../support/eventually.ts';
import { unserved } from '../../support/judge-outcomes.ts';
import type { Outcome } from '../../support/station-protocol.ts';
import { untilKubeProxyIsQuiet } from '../support/await-kube-proxy.ts';
import type { BesideLab } from '../support/beside-lab.ts';
import { PLAIN } from '../support/expectations.ts';
import { expectFlows, openFlows } from '../support/flows.ts';
import { B1, B2, CLIENT, P1, P2 } from '../support/places.ts';
import { clusterIpsOf, forwardingPortOf, leadTo, nodePortOf, vipsOf } from '../support/services.ts';

const EVERY_MS = 50;

export function survivesEnds(lab: () => BesideLab): void {
  /** New connections to all that is served, for as long as `work` takes; those that failed. */
  async function failuresWhile(work: () => Promise<void>): Promise<Outcome[]> {
    const places = [
      { from: CLIENT, address: vipsOf(11)[0], port: 80 },
      { from: P1, address: clusterIpsOf(12)[1], port: 80 },
      { from: B1, address: clusterIpsOf(11)[0], port: 80 },
      { from: B2, address: B1.address, port: forwardingPortOf(11) },
      { from: P2, address: B1.address6, port: nodePortOf(11) },
    ];
    const watched = places.reduce(
      (inner: () => Promise<Outcome[]>, { from, ...target }) =>
        async () => {
          let others: Outcome[] = [];
          const own = await lab()
            .station(from)
            .dialWhile({ transport: 'tcp', ...target }, EVERY_MS, async () => {
              others = await inner();
            });
          expect(own.length).to.be.greaterThan(5);
          return [...others, ...own];
        },
      async () => {
        await work();
        return [];
      },
    );
    return unserved(await watched());
  }

  before(async () => {
    await lab().startMissing();
    await untilKubeProxyIsQuiet(lab());
  });

  for (const how of ['stop', 'kill'] as const) {
    it(`goes on through a ${how} and a new start of the agent, open connections too`, async () => {
      await openFlows(lab());
      const failures = await failuresWhile(async () => {
        await lab().endAgent(B1, how);
        await lab().startAgent(B1);
      });
      expect(failures).to.deep.equal([]);
      await expectFlows(lab());
    });

    it(`goes on through a ${how} and a new start of kube-proxy, open connections too`, async () => {
      await openFlows(lab());
      const failures = await failuresWhile(async () => {
        await lab().kubeProxy(B1)[how]();
        await lab().kubeProxy(B1).start();
        await untilKubeProxyIsQuiet(lab());
      });
      expect(failures).to.deep.equal([]);
      await expectFlows(lab());
    });
  }

  it('leads its addresses to where the endpoints are, whatever the rules of a dead kube-proxy say', async () => {
    const bys = async (from: { name: string }, address: string) => {
      const dials = Array.from({ length: 20 }, () => ({ transport: 'tcp' as const, address, port: 80 }));
      const outcomes = await lab().station(from).dialAll(dials);
      return [...new Set(outcomes.map((each) => (each.result === 'served' ? each.by : each.result)))].sort();
    };
    await lab().kubeProxy(B1).kill();
    await leadTo(lab().client, { ...PLAIN, pods: [P2] });
    await eventually(async () => expect(await bys(CLIENT, vipsOf(11)[0])).to.deep.equal([P2.name]));
    expect(await bys(P1, clusterIpsOf(11)[0])).to.deep.equal([P1.name, P2.name]);

    await lab().kubeProxy(B1).start();
    await eventually(async () => expect(await bys(P1, clusterIpsOf(11)[0])).to.deep.equal([P2.name]));
    await leadTo(lab().client, PLAIN);
    await eventually(async () => expect(await bys(P1, clusterIpsOf(11)[0])).to.have.length(2));
  });
}
