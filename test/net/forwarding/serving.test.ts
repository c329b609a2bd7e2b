import { expect } from 'chai';
import { clusterIpsOf, merge, sketchLoadBalancer, sketchService } from '../support/cluster-objects.ts';
import { type ForwardingLab, NODES, PODS } from '../support/forwarding-lab.ts';
import { byOf, fromOf } from '../support/judge-outcomes.ts';
import { sharedLab } from '../support/shared-lab.ts';
import type { Transport } from '../support/station-protocol.ts';
import { CLIENT } from '../support/topology.ts';

const [POD_1, POD_1B, POD_2, POD_3] = PODS;
const [NODE_1, NODE_2] = NODES;
if (!POD_1 || !POD_1B || !POD_2 || !POD_3 || !NODE_1 || !NODE_2) throw new Error('the lab is too small');

const VIPS = ['203.0.113.200', 'fd00:203::200'];
const CLAIMED = ['203.0.113.201', 'fd00:203::201'];
const EXTERNAL = ['203.0.113.9', 'fd00:203::9'];
/** So many that none of four pods is missed but once in ten million times. */
const ENOUGH = 60;
const ALL_PODS = PODS.map(({ name }) => name).sort();

describe('agent on the real kernel: who is served, by whom, and as whom', function () {
  this.timeout(120_000);
  let lab: ForwardingLab;

  before(async () => {
    lab = await sharedLab();
    const web = sketchService({
      ports: [
        { nodePort: 30080 },
        { transport: 'udp', port: 80, nodePort: 30080 },
        { transport: 'sctp', port: 80, nodePort: 30080 },
        { port: 81, targetPort: 8081 },
      ],
      externalIPs: EXTERNAL,
      ingress: VIPS,
    });
    const lone = sketchService({ name: 'lone', host: 20, pods: [POD_1], ports: [{ nodePort: 30020 }] });
    const pair = sketchService({ name: 'pair', host: 30, pods: [POD_1, POD_2] });
    const loadBalancer = sketchLoadBalancer('web', {
      addresses: CLAIMED.map((address) => ({
        address,
        family: address.includes(':') ? 'IPv6' : 'IPv4',
        pool: 'lab',
      })),
      frontends: [
        { protocol: 'TCP', port: 80, forwardingPort: 40080 },
        { protocol: 'UDP', port: 80, forwardingPort: 40080 },
      ],
    });
    await lab.become({ ...merge(web, lone, pair), loadBalancers: [loadBalancer] });
  });

  const dialMany = (from: string, transport: Transport, address: string, port: number, times: number) =>
    lab
      .station(from)
      .dialAll(Array.from({ length: times }, () => ({ transport, address, port, timeoutMs: 5_000 })));

  for (const family of [0, 1] as const) {
    const label = ['IPv4', 'IPv6'][family];
    const podAddress = (pod: typeof POD_1) => (family === 0 ? pod.address : pod.address6);
    const nodeAddresses = (node: typeof NODE_1) =>
      family === 0 ? [node.address, node.outside] : [node.address6, node.outside6];

    describe(`over ${label}`, () => {
      it('spreads connections from a pod to a ClusterIP over all endpoints, evenly, and keeps its address', async () => {
        const outcomes = await dialMany(POD_1B.name, 'tcp', clusterIpsOf(30)[family] ?? '', 80, 200);

        const first = outcomes.filter((outcome) => outcome.result === 'served' && outcome.by === POD_1.name);
        expect(byOf(outcomes)).to.deep.equal([POD_1.name, POD_2.name]);
        expect(first.length / outcomes.length).to.be.within(0.35, 0.65);
        expect(fromOf(outcomes)).to.deep.equal([podAddress(POD_1B)]);
      });

      it('lets a pod reach itself through its own Service, as somebody else', async () => {
        const outcomes = await dialMany(POD_1.name, 'tcp', clusterIpsOf(20)[family] ?? '', 80, 3);

        expect(byOf(outcomes)).to.deep.equal([POD_1.name]);
        expect(fromOf(outcomes)).to.not.include(podAddress(POD_1));
      });

      it('serves processes of a node, which the pod sees as the node', async () => {
        const outcomes = await dialMany(NODE_2.name, 'tcp', clusterIpsOf(20)[family] ?? '', 80, 3);

        expect(byOf(outcomes)).to.deep.equal([POD_1.name]);
        expect(nodeAddresses(NODE_2)).to.include.members(fromOf(outcomes));
      });

      it('serves a client from outside on a ClusterIP that is routed to a node, masqueraded', async () => {
        const outcomes = await dialMany(CLIENT.name, 'tcp', clusterIpsOf(30)[family] ?? '', 80, ENOUGH);

        expect(byOf(outcomes)).to.deep.equal([POD_1.name, POD_2.name]);
        for (const from of fromOf(outcomes))
          expect(from).to.not.equal([CLIENT.address, CLIENT.address6][family]);
      });

      it('serves a node port on every node, from outside, from pods and from the node itself, masqueraded', async () => {
        for (const node of NODES) {
          const address = [node.address, node.address6][family] ?? '';
          for (const from of [CLIENT.name, POD_3.name, node.name]) {
            const outcomes = await dialMany(from, 'tcp', address, 30080, ENOUGH);
            expect(byOf(outcomes), `${from} to ${node.name}`).to.deep.equal(ALL_PODS);
            expect(fromOf(outcomes)).to.not.include([CLIENT.address, CLIENT.address6][family]);
          }
        }
      });

      it('serves a node port only on the addresses of the Node object', async () => {
        const outside = [NODE_1.outside, NODE_1.outside6][family] ?? '';
        const loopback = ['127.0.0.1', '::1'][family] ?? '';

        expect((await lab.client.dial('tcp', outside, 30080)).result).to.equal('refused');
        expect((await lab.station(NODE_1.name).dial('tcp', loopback, 30080)).result).to.equal('refused');
      });

      it('serves a forwarding port as a node port', async () => {
        for (const node of NODES) {
          const outcomes = await dialMany(
            CLIENT.name,
            'tcp',
            [node.address, node.address6][family] ?? '',
            40080,
            ENOUGH,
          );
          expect(byOf(outcomes)).to.deep.equal(ALL_PODS);
        }
      });

      for (const [what, addresses] of [
        ["a load balancer's address in status", VIPS],
        ["a load balancer's claimed address", CLAIMED],
        ['an external address', EXTERNAL],
      ] as const) {
        it(`serves ${what}, from outside, from pods and from nodes`, async () => {
          for (const from of [CLIENT.name, POD_3.name, NODE_2.name]) {
            const outcomes = await dialMany(from, 'tcp', addresses[family] ?? '', 80, ENOUGH);
            expect(byOf(outcomes), `from ${from}`).to.deep.equal(ALL_PODS);
          }
        });
      }

      it('serves UDP on ClusterIP, node port, forwarding port and load balancer address', async () => {
        const node = [NODE_1.address, NODE_1.address6][family] ?? '';
        const targets: [string, string, number][] = [
          [POD_3.name, clusterIpsOf(10)[family] ?? '', 80],
          [CLIENT.name, node, 30080],
          [CLIENT.name, node, 40080],
          [CLIENT.name, VIPS[family] ?? '', 80],
        ];
        for (const [from, address, port] of targets) {
          const outcomes = await dialMany(from, 'udp', address, port, ENOUGH);
          expect(byOf(outcomes), `${from} to ${address}:${port}`).to.deep.equal(ALL_PODS);
        }
      });

      it('serves SCTP on ClusterIP, node port and load balancer address', async () => {
        const targets: [string, string, number][] = [
          [POD_3.name, clusterIpsOf(10)[family] ?? '', 80],
          [CLIENT.name, [NODE_1.address, NODE_1.address6][family] ?? '', 30080],
          [CLIENT.name, VIPS[family] ?? '', 80],
        ];
        for (const [from, address, port] of targets) {
          const outcomes = await dialMany(from, 'sctp', address, port, 3);
          expect(ALL_PODS, `${from} to ${address}:${port}`).to.include.members(byOf(outcomes));
        }
      });

      it('leads each port of a Service to its own target port', async () => {
        const [first, second] = await lab.station(POD_3.name).dialAll([
          { transport: 'tcp', address: clusterIpsOf(10)[family] ?? '', port: 80 },
          { transport: 'tcp', address: clusterIpsOf(10)[family] ?? '', port: 81 },
        ]);

        expect([first, second].map((outcome) => outcome?.result === 'served' && outcome.at)).to.deep.equal([
          8080, 8081,
        ]);
      });
    });
  }
});
