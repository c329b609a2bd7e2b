import {
  type Case,
  clusterIp,
  dropped,
  externalIp,
  nodePort,
  REFUSED_BY_RESET,
  refused,
  served,
  vip,
} from '../support/case.ts';
import { N1, N2, N3, P1A, P1B, P2A, P3A, X } from '../support/places.ts';
import type { EndpointSketch, ServiceSketch } from '../support/sketch.ts';

const localInside = (endpoints: EndpointSketch[]): ServiceSketch => ({
  endpoints,
  ports: [{ port: 80 }, { port: 80, transport: 'udp' }],
  spec: { internalTrafficPolicy: 'Local' },
});
const localOutside = (endpoints: EndpointSketch[]): ServiceSketch => ({
  type: 'LoadBalancer',
  vip: 'VIP',
  endpoints,
  ports: [{ port: 80 }, { port: 80, transport: 'udp' }],
  spec: { externalTrafficPolicy: 'Local' },
});

export const TRAFFIC_POLICIES: readonly Case[] = [
  {
    name: '6: internalTrafficPolicy Local: served by the own node alone; silence where that has no endpoint',
    stages: [
      {
        services: [localInside([P1A])],
        expect: [
          { from: P1B, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
          { from: N1, to: clusterIp(), expect: served([P1A]) },
          { from: P2A, to: clusterIp(), expect: dropped },
          { from: N2, to: clusterIp(), expect: dropped },
          { from: P2A, to: clusterIp(), transport: 'udp', expect: dropped },
        ],
      },
      {
        when: 'the other node has one, too',
        services: [localInside([P1A, P2A])],
        expect: [
          { from: P1B, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
          { from: P2A, to: clusterIp(), expect: served([P2A]) },
          { from: N2, to: clusterIp(), expect: served([P2A]) },
          { from: P3A, to: clusterIp(), expect: dropped },
        ],
      },
    ],
  },
  {
    name: '8: externalTrafficPolicy Local: served by the node asked, which keeps the caller; silence where it has none',
    stages: [
      {
        services: [localOutside([P1A])],
        expect: [
          { from: X, to: nodePort(N1), expect: served([P1A], { as: 'itself' }) },
          { from: X, to: nodePort(N1), transport: 'udp', expect: served([P1A], { as: 'itself' }) },
          { from: X, to: vip(), expect: served([P1A], { as: 'itself' }) },
          { from: X, to: nodePort(N2), expect: dropped },
          { from: X, to: nodePort(N2), transport: 'udp', expect: dropped },
          { from: X, to: nodePort(N3), expect: dropped },
          { from: P2A, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
        ],
      },
      {
        when: 'the endpoint moves to the second node',
        services: [localOutside([P2A])],
        expect: [
          { from: X, to: nodePort(N1), expect: dropped },
          { from: X, to: vip(), expect: dropped },
          { from: X, to: nodePort(N2), expect: served([P2A], { as: 'itself' }) },
        ],
      },
    ],
  },
  {
    name: '9: externalTrafficPolicy Local: pods and the node itself are served by all, wherever they ask',
    stages: [
      {
        services: [localOutside([P1A, P3A])],
        expect: [
          { from: P2A, to: nodePort(N2), expect: served([P1A, P3A], { as: 'itself' }) },
          { from: P2A, to: vip(), expect: served([P1A, P3A], { as: 'itself' }) },
          { from: N2, to: nodePort(N2), expect: served([P1A, P3A], { as: N2 }) },
          { from: N2, to: vip(), expect: served([P1A, P3A], { as: N2 }) },
          { from: X, to: nodePort(N2), expect: dropped },
          // From another node is from outside.
          { from: N2, to: nodePort(N1), expect: served([P1A], { as: N2 }) },
        ],
      },
    ],
  },
  {
    name: '12: terminating endpoints serve only when none is ready, those that do not serve never',
    stages: [
      {
        services: [{ endpoints: [P1A, { pod: P2A, state: 'terminating' }] }],
        expect: [{ from: P3A, to: clusterIp(), times: 30, expect: served([P1A]) }],
      },
      {
        when: 'no endpoint is ready any more',
        services: [
          {
            endpoints: [
              { pod: P1A, state: 'notReady' },
              { pod: P2A, state: 'terminating' },
              { pod: P1B, state: 'terminatingNotServing' },
            ],
          },
        ],
        expect: [{ from: P3A, to: clusterIp(), times: 30, expect: served([P2A]) }],
      },
    ],
  },
  {
    name: '12: the fallback to terminating endpoints is decided for the node by itself',
    stages: [
      {
        services: [localOutside([{ pod: P1A, state: 'terminating' }, P3A])],
        expect: [
          { from: X, to: nodePort(N1), times: 20, expect: served([P1A], { as: 'itself' }) },
          { from: P1B, to: clusterIp(), times: 20, expect: served([P3A], { as: 'itself' }) },
          { from: P1B, to: nodePort(N1), times: 20, expect: served([P3A], { as: 'itself' }) },
          { from: X, to: nodePort(N2), expect: dropped },
        ],
      },
      {
        when: 'a ready endpoint is on that node, too',
        services: [localOutside([{ pod: P1A, state: 'terminating' }, P1B, P3A])],
        expect: [
          { from: X, to: nodePort(N1), times: 20, expect: served([P1B], { as: 'itself' }) },
          { from: P2A, to: clusterIp(), expect: served([P1B, P3A], { as: 'itself' }) },
        ],
      },
    ],
  },
  {
    name: '12: internalTrafficPolicy Local falls back to the own terminating endpoint while others are ready',
    stages: [
      {
        services: [localInside([{ pod: P1A, state: 'terminating' }, P3A])],
        expect: [
          { from: P1B, to: clusterIp(), times: 20, expect: served([P1A], { as: 'itself' }) },
          { from: P2A, to: clusterIp(), expect: dropped },
        ],
      },
    ],
  },
  {
    name: '6: internalTrafficPolicy Local says nothing of node ports, externalTrafficPolicy Local nothing of ClusterIPs',
    stages: [
      {
        services: [{ ...localInside([P1A]), type: 'NodePort' }],
        expect: [
          { from: P2A, to: clusterIp(), expect: dropped },
          { from: X, to: nodePort(N2), expect: served([P1A], { as: N2 }) },
          { from: P2A, to: nodePort(N2), expect: served([P1A], { as: N2 }) },
        ],
      },
      {
        when: 'both are Local',
        services: [
          {
            ...localOutside([P1A]),
            spec: { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' },
          },
        ],
        expect: [
          { from: P2A, to: clusterIp(), expect: dropped },
          { from: X, to: nodePort(N2), expect: dropped },
          { from: P2A, to: nodePort(N2), expect: served([P1A], { as: 'itself' }) },
          { from: P1B, to: clusterIp(), expect: served([P1A], { as: 'itself' }) },
          { from: X, to: nodePort(N1), expect: served([P1A], { as: 'itself' }) },
        ],
      },
    ],
  },
  {
    name: '8: externalTrafficPolicy Local holds for external IPs, too',
    stages: [
      {
        services: [{ ...localOutside([P1A]), externalIp: true }],
        expect: [
          { from: X, to: externalIp(), expect: served([P1A], { as: 'itself' }) },
          { from: P2A, to: externalIp(), expect: served([P1A], { as: 'itself' }) },
        ],
      },
      {
        when: 'the endpoint is on another node',
        services: [{ ...localOutside([P2A]), externalIp: true }],
        expect: [
          { from: X, to: externalIp(), expect: dropped },
          { from: P1B, to: externalIp(), expect: served([P2A], { as: 'itself' }) },
        ],
      },
    ],
  },
  {
    name: '4: with Local policies and no endpoint anywhere, callers are refused, not left in silence',
    stages: [
      {
        services: [
          {
            ...localOutside([{ pod: P2A, state: 'notReady' }]),
            externalIp: true,
            spec: { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' },
          },
        ],
        expect: [
          { from: P1A, to: clusterIp(), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: X, to: nodePort(N1), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: X, to: vip(), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: X, to: externalIp(), expect: refused('icmp'), differs: REFUSED_BY_RESET },
          { from: N1, to: clusterIp(), expect: refused() },
          { from: X, to: nodePort(N1), transport: 'udp', expect: refused('icmp') },
        ],
      },
    ],
  },
];
