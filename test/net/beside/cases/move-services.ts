import { expect } from 'chai';
import { eventually, sleep } from '../../../support/eventually.ts';
import { unserved } from '../../support/judge-outcomes.ts';
import type { BesideLab } from '../support/beside-lab.ts';
import { dial } from '../support/expectations.ts';
import { readForeignTables, readKeys } from '../support/foreign-rules.ts';
import { B1, CLIENT, P1, P2 } from '../support/places.ts';
import {
  clusterIpsOf,
  createService,
  deleteService,
  labelService,
  nodePortOf,
  type ServiceSketch,
} from '../support/services.ts';

const MOVING: ServiceSketch = { name: 'moving', host: 18, type: 'NodePort', pods: [P1, P2] };
const [CLUSTER_IP] = clusterIpsOf(MOVING.host);
/** A connection that nobody takes at first is begun again by TCP after a second. */
const PATIENT_MS = 5_000;

export function movesServices(lab: () => BesideLab): void {
  const isOurs = async () => (await readKeys('services')).includes(`${CLUSTER_IP} . tcp . 80`);
  const isTheirs = async () =>
    [...(await readForeignTables()).values()].some((table) => table.includes(CLUSTER_IP));

  before(async () => {
    await lab().startMissing();
    await createService(lab().client, MOVING);
    // It may have the Service a sync before its endpoints.
    await eventually(async () => {
      expect(await isTheirs()).to.equal(true);
      expect(await dial(lab(), P1, [CLUSTER_IP], 80)).to.deep.equal(['served']);
    }, 30_000);
  });

  after(async () => {
    await deleteService(lab().client, MOVING);
  });

  for (const [proxy, what] of [
    ['fairlead', 'takes a Service over that is labelled'],
    [null, 'gives a Service back that has its label taken away'],
    ['somebody-else', 'leaves a Service that another proxy is named for, as kube-proxy does'],
  ] as const) {
    it(what, async () => {
      const others = proxy === 'somebody-else';
      if (!others) {
        await lab().station(P1).openFlow('moved', { transport: 'tcp', address: CLUSTER_IP, port: 80 });
      }
      const target = { transport: 'tcp', address: CLUSTER_IP, port: 80, timeoutMs: PATIENT_MS } as const;
      const outcomes = await lab()
        .station(P1)
        .dialWhile(target, 50, async () => {
          await labelService(lab().client, MOVING.name, proxy);
          await eventually(async () => expect(await isOurs()).to.equal(proxy === 'fairlead'), 30_000);
          await eventually(async () => expect(await isTheirs()).to.equal(proxy === null), 30_000);
          await sleep(200);
        });

      // kube-proxy writes each family by itself, up to a second apart.
      await eventually(async () => {
        const nodePorts = await dial(lab(), CLIENT, [B1.address, B1.address6], nodePortOf(MOVING.host), {
          timeoutMs: 1_000,
        });
        if (others) expect(nodePorts).not.to.include('served');
        else expect(nodePorts).to.deep.equal(['served']);
      });
      if (others) return;
      expect(unserved(outcomes), 'each was served, if late').to.deep.equal([]);
      expect((await lab().station(P1).useFlow('moved', 3_000)).result, 'open connection').to.equal('served');
    });
  }
}
