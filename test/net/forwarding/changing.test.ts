import { expect } from 'chai';
import { clusterIpsOf, merge, type ServiceSketch, sketchService } from '../support/cluster-objects.ts';
import { type ForwardingLab, NODES, PODS } from '../support/forwarding-lab.ts';
import { byOf, unserved } from '../support/judge-outcomes.ts';
import { run } from '../support/run.ts';
import { sharedLab } from '../support/shared-lab.ts';
import type { Dial } from '../support/station-protocol.ts';

const [POD_1, POD_1B, POD_2, POD_3] = PODS;
const [NODE_1, , NODE_3] = NODES;
if (!POD_1 || !POD_1B || !POD_2 || !POD_3 || !NODE_1 || !NODE_3) throw new Error('the lab is too small');

const CLUSTER_IP = clusterIpsOf(60)[0];
const DELETE_ENDPOINTS = ['nft', 'delete', 'element', 'ip', 'fairlead', 'service-endpoints'];
const DIAL: Dial = { transport: 'tcp', address: CLUSTER_IP, port: 80 };

describe('agent on the real kernel: changes', function () {
  this.timeout(120_000);
  let lab: ForwardingLab;

  before(async () => {
    lab = await sharedLab();
  });

  const become = (sketch: ServiceSketch) =>
    lab.become(merge(sketchService({ name: 'moving', host: 60, ...sketch })));
  const dialMany = (count: number) => lab.station(POD_3.name).dialAll(Array(count).fill(DIAL));

  it('sends nothing to a pod that is not ready any more, and fails no connection under steady load', async () => {
    await become({ pods: [POD_1, POD_2] });

    const outcomes = await lab.station(POD_3.name).dialWhile(DIAL, 10, async () => {
      await sleep(200);
      await become({ pods: [[POD_1, 'notReady'], POD_2] });
      await sleep(200);
      await become({ pods: [[POD_1, 'notReady'], POD_2, POD_1B] });
      await sleep(200);
    });

    expect(unserved(outcomes)).to.deep.equal([]);
    expect(outcomes.length).to.be.greaterThan(20);
    expect(byOf(await dialMany(60))).to.deep.equal([POD_1B.name, POD_2.name]);
  });

  it('leaves open connections alone when their pod leaves', async () => {
    await become({ pods: [POD_1] });
    await lab.station(POD_3.name).hold(CLUSTER_IP, 80);

    await become({ pods: [[POD_1, 'terminating'], POD_2] });

    expect(await lab.station(POD_3.name).talk('still there')).to.equal('still there');
    expect(byOf(await dialMany(20))).to.deep.equal([POD_2.name]);
    await become({ pods: [POD_2] });
    expect(await lab.station(POD_3.name).talk('even now')).to.equal('even now');
  });

  it('falls back to terminating pods that serve when no other is left, and refuses when none is', async () => {
    await become({
      pods: [
        [POD_1, 'terminating'],
        [POD_2, 'notReady'],
      ],
    });
    expect(byOf(await dialMany(20))).to.deep.equal([POD_1.name]);

    await become({ pods: [[POD_2, 'notReady']] });
    expect(byOf(await dialMany(5))).to.deep.equal(['refused']);

    await become({ pods: [POD_2] });
    expect(byOf(await dialMany(5))).to.deep.equal([POD_2.name]);
  });

  it('moves ports, target ports and node ports, and closes the old ones', async () => {
    await become({ ports: [{ port: 80, targetPort: 8080, nodePort: 30060 }] });
    const station = lab.station(POD_3.name);
    expect((await station.dial('tcp', NODE_1.address, 30060)).result).to.equal('served');

    await become({ ports: [{ port: 8000, targetPort: 8081, nodePort: 30061 }] });

    const moved = await station.dial('tcp', CLUSTER_IP, 8000);
    expect(moved).to.include({ result: 'served', at: 8081 });
    expect((await station.dial('tcp', CLUSTER_IP, 80)).result).to.equal('refused');
    expect((await station.dial('tcp', NODE_1.address, 30061)).result).to.equal('served');
    expect((await station.dial('tcp', NODE_1.address, 30060)).result).to.equal('refused');
  });

  it('takes a Service away that is deleted, or handed to another proxy', async () => {
    await become({});
    const { service, slices } = sketchService({ name: 'moving', host: 60 });
    const labels = { 'service.kubernetes.io/service-proxy-name': 'other' };

    await lab.become({ services: [{ ...service, metadata: { ...service.metadata, labels } }], slices });
    expect((await lab.station(POD_3.name).dial('tcp', CLUSTER_IP, 80, 500)).result).to.equal('timeout');

    await become({});
    expect((await lab.station(POD_3.name).dial('tcp', CLUSTER_IP, 80)).result).to.equal('served');
    await lab.become({ services: [], slices: [] });
    expect((await lab.station(POD_3.name).dial('tcp', CLUSTER_IP, 80, 500)).result).to.equal('timeout');
  });

  it('serves a packet that chose among more endpoints than there are when it is sent on', async () => {
    await become({ pods: [POD_1, POD_2, POD_1B] });
    // A packet looks two maps up, and a transaction may come between: this is what it finds then.
    const gone = [1, 2].map((slot) => `${CLUSTER_IP} . tcp . 80 . ${slot}`).join(', ');
    await run('ip', 'netns', 'exec', NODE_3.name, ...DELETE_ENDPOINTS, `{ ${gone} }`);

    expect(unserved(await dialMany(40))).to.deep.equal([]);
    await become({ pods: [POD_1] });
  });

  it('keeps serving through hundreds of changes of endpoints', async () => {
    const sets = [[POD_1], [POD_1, POD_2], [POD_2, POD_1B, POD_1], [POD_1B], [POD_2, POD_1B]];
    await become({ pods: [POD_1] });

    const outcomes = await lab.station(POD_3.name).dialWhile(DIAL, 5, async () => {
      for (let round = 0; round < 100; round++) await become({ pods: sets[round % sets.length] ?? [] });
    });

    expect(unserved(outcomes)).to.deep.equal([]);
  });
});

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
