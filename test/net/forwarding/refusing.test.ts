import { expect } from 'chai';
import { clusterIpsOf, merge, sketchService } from '../support/cluster-objects.ts';
import { type ForwardingLab, NODES, PODS } from '../support/forwarding-lab.ts';
import { ipBatch } from '../support/run.ts';
import { sharedLab } from '../support/shared-lab.ts';
import { CLIENT } from '../support/topology.ts';

const [POD_1, , , POD_3] = PODS;
const [NODE_1, NODE_2] = NODES;
if (!POD_1 || !POD_3 || !NODE_1 || !NODE_2) throw new Error('the lab is too small');

const VIP = ['203.0.113.50', 'fd00:203::50'];
const EXTERNAL = ['203.0.113.51', 'fd00:203::51'];
/** Far from any time-out, and with room for a busy machine. */
const AT_ONCE_MS = 800;

describe('agent on the real kernel: who is refused, and how', function () {
  this.timeout(120_000);
  let lab: ForwardingLab;

  before(async () => {
    lab = await sharedLab();
    const empty = sketchService({
      name: 'empty',
      host: 40,
      pods: [],
      ports: [
        { nodePort: 30040 },
        { transport: 'udp', nodePort: 30040 },
        { transport: 'sctp', nodePort: 30040 },
      ],
      ingress: VIP,
      externalIPs: EXTERNAL,
    });
    const notReady = sketchService({ name: 'not-ready', host: 41, pods: [[POD_1, 'notReady']] });
    const alive = sketchService({ name: 'alive', host: 42 });
    await lab.become(merge(empty, notReady, alive));
  });

  for (const family of [0, 1] as const) {
    describe(`over ${['IPv4', 'IPv6'][family]}`, () => {
      const clusterIp = clusterIpsOf(40)[family] ?? '';
      const node1 = [NODE_1.address, NODE_1.address6][family] ?? '';

      for (const from of [POD_3.name, NODE_2.name, CLIENT.name]) {
        it(`refuses at once, from ${from}, what has no endpoints: ClusterIP, node port, load balancer, external`, async () => {
          const dial = async () => {
            const outcomes = await lab.station(from).dialAll(
              [
                [clusterIp, 80],
                [node1, 30040],
                [VIP[family] ?? '', 80],
                [EXTERNAL[family] ?? '', 80],
                [clusterIpsOf(41)[family] ?? '', 80],
              ].map(([address, port]) => ({
                transport: 'tcp',
                address: String(address),
                port: Number(port),
              })),
            );
            expect(outcomes.map(({ result }) => result)).to.deep.equal(Array(5).fill('refused'));
            return Math.max(...outcomes.map(({ tookMs }) => tookMs));
          };

          // The best of several: a busy machine may take its time for one.
          let tookMs = await dial();
          for (let tries = 1; tries < 4 && tookMs >= AT_ONCE_MS; tries++) tookMs = await dial();
          expect(tookMs).to.be.below(AT_ONCE_MS);
        });
      }

      it('refuses a node its own node port without endpoints', async () => {
        expect((await lab.station(NODE_1.name).dial('tcp', node1, 30040)).result).to.equal('refused');
      });

      for (const transport of ['udp', 'sctp'] as const) {
        it(`tells senders of ${transport.toUpperCase()} too`, async () => {
          const outcomes = await lab.station(POD_3.name).dialAll([
            { transport, address: clusterIp, port: 80 },
            { transport, address: node1, port: 30040 },
            { transport, address: VIP[family] ?? '', port: 80 },
          ]);
          expect(outcomes.map(({ result }) => result)).to.deep.equal(Array(3).fill('refused'));
        });
      }

      it('refuses a port that a live ClusterIP does not have, from pods, nodes and outside', async () => {
        for (const from of [POD_3.name, NODE_2.name, CLIENT.name]) {
          const outcome = await lab.station(from).dial('tcp', clusterIpsOf(42)[family] ?? '', 81);
          expect(outcome.result, from).to.equal('refused');
        }
      });

      it('drops what goes to a ClusterIP that nobody has', async () => {
        const address = clusterIpsOf(99)[family] ?? '';
        for (const from of [POD_3.name, NODE_2.name]) {
          expect((await lab.station(from).dial('tcp', address, 80, 600)).result, from).to.equal('timeout');
        }
      });

      it("keeps the node's own processes from being reached by an announced address", async () => {
        const [agent] = lab.agents;
        const announced = ['203.0.113.52', 'fd00:203::52'][family] ?? '';
        const port = 9052 + family;
        await lab.station(NODE_1.name).listen('tcp', port);
        const assigned = [`${announced}/32 dev eth1`, `${announced}/128 dev eth1 nodad`][family];
        await ipBatch([`addr add ${assigned}`], NODE_1.name);
        expect(await lab.client.dial('tcp', announced, port)).to.include({ result: 'served' });

        agent?.forwarding.setAnnounced([announced, node1]);
        await agent?.forwarding.settled();
        expect((await lab.client.dial('tcp', announced, port)).result).to.equal('refused');
        expect((await lab.station(NODE_1.name).dial('tcp', announced, port)).result).to.equal('refused');
        expect(await lab.client.dial('tcp', node1, port), 'its own address').to.include({ result: 'served' });

        agent?.forwarding.setAnnounced([]);
        await agent?.forwarding.settled();
        await ipBatch([`addr del ${assigned}`], NODE_1.name);
      });

      it('leaves other ports of nodes and other addresses to whoever has them', async () => {
        expect((await lab.client.dial('tcp', node1, 30041)).result).to.equal('refused');
        expect(
          (await lab.client.dial('tcp', [POD_3.address, POD_3.address6][family] ?? '', 8080, 600)).result,
        ).to.equal('failed');
        const direct = await lab
          .station(POD_1.name)
          .dial('tcp', [POD_3.address, POD_3.address6][family] ?? '', 8080);
        expect(direct).to.include({ result: 'served', from: [POD_1.address, POD_1.address6][family] });
      });
    });
  }
});
