import { ipBatch } from '../../support/run.ts';
import {
  type Case,
  clusterIp,
  externalIp,
  nodePort,
  notServed,
  refused,
  served,
  vip,
} from '../support/case.ts';
import { N1, N2, N3, NODES, P1A, P1B, P2A, P3A, X } from '../support/places.ts';
import type { ServiceSketch } from '../support/sketch.ts';

const everywhere = (more: Partial<ServiceSketch> = {}): ServiceSketch => ({
  type: 'LoadBalancer',
  vip: 'VIP',
  endpoints: [P1A],
  ...more,
});
const OF_IPV4: Partial<ServiceSketch> = {
  spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] },
};
const LATE = { IPv4: '198.18.0.77', IPv6: 'fd00:198::77' } as const;
const onLate = { at: 'nodePortOn', addresses: LATE } as const;
const addressesOfN3 = async (what: 'add' | 'del') => {
  await ipBatch(
    [
      `addr ${what} ${LATE.IPv4}/24 dev eth1`,
      `addr ${what} ${LATE.IPv6}/64 dev eth1${what === 'add' ? ' nodad' : ''}`,
    ],
    N3.name,
  );
};
const outsideOfN2 = { IPv4: NODES[1]?.outside ?? '', IPv6: NODES[1]?.outside6 ?? '' };

const ONLY_IN_FULL_SYNCS = {
  reason: 'looks for addresses of its node only when it writes everything: after a failure, or after an hour',
  expect: notServed,
} as const;

/** What meets where two behaviours do. */
export const CORNERS: readonly Case[] = [
  {
    name: '2: a pod that serves itself sees its node by VIP and node port, too, under either policy',
    stages: [
      {
        services: [everywhere()],
        expect: [
          { from: P1A, to: vip(), expect: served([P1A], { as: N1 }) },
          { from: P1A, to: nodePort(N1), expect: served([P1A], { as: N1 }) },
          { from: P1A, to: nodePort(N2), expect: served([P1A], { as: N2 }) },
        ],
      },
      {
        when: 'the policy is Local',
        services: [everywhere({ spec: { externalTrafficPolicy: 'Local' } })],
        expect: [
          { from: P1A, to: vip(), expect: served([P1A], { as: N1 }) },
          { from: P1A, to: nodePort(N1), expect: served([P1A], { as: N1 }) },
          { from: P1B, to: vip(), expect: served([P1A], { as: 'itself' }) },
        ],
      },
      {
        when: 'with session affinity, too',
        services: [everywhere({ spec: { externalTrafficPolicy: 'Local', sessionAffinity: 'ClientIP' } })],
        expect: [
          { from: P1A, to: clusterIp(), expect: served([P1A], { as: N1 }) },
          { from: P1A, to: vip(), expect: served([P1A], { as: N1 }) },
        ],
      },
    ],
  },
  {
    name: '20: a Service of IPv4 alone has nothing at addresses of IPv6, whatever its status and slices say',
    families: ['IPv6'],
    stages: [
      {
        services: [everywhere(OF_IPV4)],
        expect: [
          { from: X, to: vip(), expect: notServed },
          { from: X, to: nodePort(N1), expect: notServed },
          { from: P1B, to: vip(), expect: notServed },
        ],
      },
    ],
  },
  {
    name: '20: a Service of IPv4 alone is served there, and by its slices of IPv4 alone',
    families: ['IPv4'],
    stages: [
      {
        services: [everywhere(OF_IPV4)],
        expect: [
          { from: X, to: vip(), expect: served([P1A]) },
          { from: X, to: nodePort(N2), expect: served([P1A], { as: N2 }) },
          { from: P1B, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
        ],
      },
    ],
  },
  {
    name: '20: a Service whose first family is IPv6 is served in both',
    stages: [
      {
        services: [everywhere({ spec: { ipFamilies: ['IPv6', 'IPv4'] } })],
        expect: [
          { from: P2A, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
          { from: X, to: vip(), expect: served([P1A], { as: N1 }) },
          { from: X, to: nodePort(N2), expect: served([P1A], { as: N2 }) },
        ],
      },
    ],
  },
  {
    name: '21: a Service that changes its type keeps what the new one has, and loses the rest',
    stages: [
      {
        services: [everywhere({ externalIp: true })],
        expect: [
          { from: X, to: vip(), expect: served([P1A]) },
          { from: X, to: nodePort(N2), expect: served([P1A]) },
        ],
      },
      {
        when: 'it is of type ClusterIP',
        services: [{ type: 'ClusterIP', endpoints: [P1A], externalIp: true }],
        expect: [
          { from: P2A, to: clusterIp(), expect: served([P1A]) },
          { from: X, to: externalIp(), expect: served([P1A]) },
          { from: X, to: vip(), expect: notServed },
        ],
      },
    ],
  },
  {
    name: 'further: an external IP may be an address of a node, which answers there for the Service, and else for itself',
    stages: [
      {
        services: [
          {
            endpoints: [P2A],
            ports: [{ port: 8088 }],
            spec: { externalIPs: [N1.addresses.IPv4, N1.addresses.IPv6] },
          },
        ],
        expect: [
          {
            from: X,
            to: { at: 'address', addresses: N1.addresses, port: 8088 },
            expect: served([P2A], { as: N1 }),
          },
          {
            from: P1B,
            to: { at: 'address', addresses: N1.addresses, port: 8088 },
            expect: served([P2A], { as: N1 }),
          },
          {
            from: N1,
            to: { at: 'address', addresses: N1.addresses, port: 8088 },
            expect: served([P2A], { as: N1 }),
          },
          { from: X, to: { at: 'address', addresses: N1.addresses, port: 8080 }, expect: served([N1]) },
        ],
      },
    ],
  },
  {
    name: '16: another timeout of affinity is taken over, and who was remembered stays',
    stages: [
      {
        services: [
          {
            type: 'NodePort',
            endpoints: [P1A],
            spec: {
              sessionAffinity: 'ClientIP',
              sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
            },
          },
        ],
        expect: [{ from: X, to: nodePort(N1), expect: served([P1A]) }],
      },
      {
        when: 'the timeout is another, and so are the endpoints',
        services: [
          {
            type: 'NodePort',
            endpoints: [P1A, P1B, P2A, P3A],
            spec: {
              sessionAffinity: 'ClientIP',
              sessionAffinityConfig: { clientIP: { timeoutSeconds: 700 } },
            },
          },
        ],
        expect: [{ from: X, to: nodePort(N1), times: 12, expect: served([P1A]) }],
      },
    ],
  },
  {
    name: '7: with CIDRs of one family alone, node ports of the other answer at all addresses',
    exclusive: true,
    afterwards: (lab) => lab.reconfigure(N2.name, { nodePortAddresses: 'primary' }),
    families: ['IPv6'],
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: [P1A] }],
        act: ({ lab }) => lab.reconfigure(N2.name, { nodePortAddresses: ['198.18.0.0/24'] }),
        expect: [
          { from: X, to: { at: 'nodePortOn', addresses: outsideOfN2 }, expect: served([P1A], { as: N2 }) },
          { from: X, to: nodePort(N2), expect: served([P1A], { as: N2 }) },
        ],
      },
    ],
  },
  {
    name: '7: an address that comes into a CIDR of nodePortAddresses later answers, too, until it goes',
    exclusive: true,
    afterwards: async (lab) => {
      await addressesOfN3('del').catch(() => {});
      await lab.reconfigure(N3.name, { nodePortAddresses: 'primary' });
    },
    stages: [
      {
        services: [{ type: 'NodePort', endpoints: [P1A] }],
        act: ({ lab }) => lab.reconfigure(N3.name, { nodePortAddresses: ['198.18.0.0/24', 'fd00:198::/64'] }),
        expect: [{ from: X, to: onLate, expect: notServed }],
      },
      {
        when: 'the node has it',
        act: () => addressesOfN3('add'),
        expect: [
          {
            from: X,
            to: onLate,
            expect: served([P1A], { as: N3 }),
            differs: { 'kube-proxy': ONLY_IN_FULL_SYNCS },
          },
        ],
      },
      {
        when: 'it is gone',
        act: () => addressesOfN3('del'),
        expect: [{ from: X, to: onLate, expect: notServed }],
      },
    ],
  },
  {
    name: '4: a Service that loses its endpoints refuses at once, of UDP, too, and serves again when they are back',
    stages: [
      {
        services: [everywhere({ ports: [{ port: 80 }, { port: 80, transport: 'udp' }] })],
        expect: [{ from: X, to: vip(), transport: 'udp', expect: served([P1A]) }],
      },
      {
        when: 'none is left',
        services: [everywhere({ ports: [{ port: 80 }, { port: 80, transport: 'udp' }], endpoints: [] })],
        expect: [
          { from: X, to: vip(), expect: refused() },
          { from: X, to: vip(), transport: 'udp', expect: refused('icmp') },
        ],
      },
      {
        when: 'one is back',
        services: [everywhere({ ports: [{ port: 80 }, { port: 80, transport: 'udp' }], endpoints: [P2A] })],
        expect: [
          { from: X, to: vip(), expect: served([P2A]) },
          { from: X, to: vip(), transport: 'udp', expect: served([P2A]) },
        ],
      },
    ],
  },
];
