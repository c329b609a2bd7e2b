import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../support/run.ts';
import {
  type Case,
  type Check,
  clusterIp,
  dropped,
  externalIp,
  nodePort,
  notServed,
  ofService,
  served,
  vip,
} from '../support/case.ts';
import { dialFrom, onlyServer } from '../support/checks.ts';
import { N1, N2, N3, P1A, P1B, P2A, X, X2 } from '../support/places.ts';
import type { ServiceSketch } from '../support/sketch.ts';

const ranges = (loadBalancerSourceRanges: string[]): ServiceSketch => ({
  type: 'LoadBalancer',
  vip: 'VIP',
  externalIp: true,
  endpoints: [P2A],
  spec: { loadBalancerSourceRanges },
});
const OF_X = [`${X.addresses.IPv4}/32`, `${X.addresses.IPv6}/128`];

/** Packets from P2A to a VIP, as they leave N2 through its links to others. */
const leavesN2 = (expected: boolean): Check => ({
  what: `the packet to the VIP ${expected ? 'leaves' : 'never leaves'} the node`,
  check: async (trial, family) => {
    const { address, port } = trial.resolve(vip(), 'tcp', family);
    const links: { ifname: string; ifindex: number }[] = JSON.parse(
      await run('ip', '-n', N2.name, '-json', 'link', 'show'),
    );
    const uplinks = links.filter(({ ifname }) => ifname.startsWith('eth')).map(({ ifindex }) => ifindex);
    const packets = await trial.station(N2).watch(address, port, async () => {
      await trial.station(P2A).dialAll([{ transport: 'tcp', address, port, timeoutMs: 1_000 }]);
    });
    const left = packets.filter((packet) => uplinks.some((index) => packet.startsWith(`out ${index} tcp S`)));
    return left.length > 0 === expected ? undefined : `saw ${packets.join(', ') || 'none'}`;
  },
});

export const LOAD_BALANCERS: readonly Case[] = [
  {
    name: '14: a VIP of ipMode VIP is served on the node of the caller',
    stages: [
      {
        services: [{ type: 'LoadBalancer', vip: 'VIP', endpoints: [P1A, P2A] }],
        expect: [
          { from: P1B, to: vip(), expect: served([P1A, P2A], { as: N1 }) },
          { from: N3, to: vip(), expect: served([P1A, P2A], { as: N3 }) },
          { from: X, to: vip(), expect: served([P1A, P2A], { as: N1 }) },
          leavesN2(false),
        ],
      },
    ],
  },
  {
    name: '14: a packet to a VIP of ipMode Proxy goes to the load balancer as it is',
    stages: [
      {
        services: [{ type: 'LoadBalancer', vip: 'Proxy', endpoints: [P1A] }],
        expect: [
          leavesN2(true),
          { from: P1B, to: vip(), expect: dropped },
          { from: X, to: vip(), expect: dropped },
          { from: X, to: nodePort(N1), expect: served([P1A], { as: N1 }) },
        ],
      },
      {
        when: 'the mode is VIP',
        services: [{ type: 'LoadBalancer', vip: 'VIP', endpoints: [P1A] }],
        expect: [leavesN2(false), { from: P1B, to: vip(), expect: served([P1A], { as: N1 }) }],
      },
    ],
  },
  {
    name: '14: a VIP that is taken from the status is not served any more',
    stages: [
      {
        services: [{ type: 'LoadBalancer', vip: 'VIP', endpoints: [P1A] }],
        expect: [{ from: X, to: vip(), expect: served([P1A]) }],
      },
      {
        when: 'the status has no address',
        services: [{ type: 'LoadBalancer', endpoints: [P1A] }],
        expect: [{ from: X, to: vip(), expect: notServed }],
      },
    ],
  },
  {
    name: "14: a port that a VIP or an external IP does not have is not the proxy's business",
    stages: [
      {
        services: [{ type: 'LoadBalancer', vip: 'VIP', externalIp: true, endpoints: [P1A] }],
        expect: [
          { from: X, to: vip(), expect: served([P1A]) },
          { from: X, to: vip(81), expect: dropped },
          { from: P2A, to: vip(81), expect: dropped },
          { from: X, to: externalIp(81), expect: dropped },
        ],
      },
    ],
  },
  {
    name: '15: loadBalancerSourceRanges fence the VIP, and nothing else of the Service',
    stages: [
      {
        services: [ranges(OF_X)],
        expect: [
          { from: X, to: vip(), expect: served([P2A], { as: N1 }) },
          { from: X2, to: vip(), expect: dropped },
          { from: P1A, to: vip(), expect: dropped },
          { from: N1, to: vip(), expect: dropped },
          { from: X2, to: nodePort(N1), expect: served([P2A], { as: N1 }) },
          { from: X2, to: externalIp(), expect: served([P2A], { as: N1 }) },
          { from: X2, to: clusterIp(), expect: served([P2A], { as: N1 }) },
        ],
      },
      {
        when: 'the ranges are gone',
        services: [ranges([])],
        expect: [{ from: X2, to: vip(), expect: served([P2A], { as: N1 }) }],
      },
    ],
  },
  {
    name: '15: a range with the address of the node lets the node itself in',
    stages: [
      {
        services: [ranges(['10.89.0.0/24', 'fd00:89::/64'])],
        expect: [
          { from: N1, to: vip(), expect: served([P2A], { as: N1 }) },
          { from: N3, to: vip(), expect: served([P2A], { as: N3 }) },
          { from: X, to: vip(), expect: dropped },
        ],
      },
    ],
  },
  {
    name: '15: a range of everything anywhere in the list opens the VIP to all',
    stages: [
      {
        services: [ranges([...OF_X, '0.0.0.0/0', '::/0'])],
        expect: [
          { from: X2, to: vip(), expect: served([P2A]) },
          { from: P1A, to: vip(), expect: served([P2A]) },
        ],
      },
    ],
  },
  {
    name: '15: spaces around a range mean nothing',
    stages: [
      {
        services: [ranges(OF_X.map((range) => ` ${range} `))],
        expect: [
          { from: X, to: vip(), expect: served([P2A]) },
          { from: X2, to: vip(), expect: dropped },
        ],
      },
    ],
  },
  {
    name: '15: ranges of IPv6 alone leave IPv4 open',
    families: ['IPv4'],
    stages: [
      { services: [ranges(['fd00:198::100/128'])], expect: [{ from: X2, to: vip(), expect: served([P2A]) }] },
    ],
  },
  {
    name: '15: ranges of IPv4 alone leave IPv6 open',
    families: ['IPv6'],
    stages: [
      { services: [ranges(['198.18.0.100/32'])], expect: [{ from: X2, to: vip(), expect: served([P2A]) }] },
    ],
  },
  {
    name: 'further: of two Services that claim one address and port, the older has it',
    stages: [
      {
        services: [{ name: 'older', type: 'LoadBalancer', vip: 'VIP', endpoints: [P1A] }],
        // Times of creation are of whole seconds, and of two equal ones the name decides.
        act: () => sleep(1_100),
        expect: [{ from: X, to: vip(), expect: served([P1A]) }],
      },
      {
        when: 'another Service has the same VIP',
        services: [
          { name: 'older', type: 'LoadBalancer', vip: 'VIP', endpoints: [P1A] },
          { name: 'newer', addressesOf: 'older', type: 'LoadBalancer', vip: 'VIP', endpoints: [P2A] },
        ],
        expect: [
          {
            what: 'who answers at the VIP',
            check: async (trial, family) => {
              const server = onlyServer(await dialFrom(trial, family, X, vip(), { times: 10 }));
              return server === P1A.name ? undefined : `it is ${server}`;
            },
            differs: {
              'kube-proxy': {
                reason:
                  'of two Services with one VIP and port, that one is served which it happens to write last, anew at each sync',
                check: async (trial, family) => {
                  const server = onlyServer(await dialFrom(trial, family, X, vip(), { times: 10 }));
                  return [P1A.name, P2A.name].includes(server) ? undefined : `it is ${server}`;
                },
              },
            },
          },
          { from: P1B, to: ofService('newer', clusterIp()), expect: served([P2A]) },
        ],
      },
      {
        when: 'the older is gone',
        services: [
          { name: 'newer', addressesOf: 'older', type: 'LoadBalancer', vip: 'VIP', endpoints: [P2A] },
        ],
        expect: [{ from: X, to: vip(), expect: served([P2A]) }],
      },
    ],
  },
];
